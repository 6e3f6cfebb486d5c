export type JSONObject = Readonly<Record<string, unknown>>;

/** Why an operation, or a whole document, cannot be offered. The message is for the status, and has the cure where there is one. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}

/** References that only lead to other references. */
const MAX_REFERENCES = 32;
const MAX_SHOWN_CHARACTERS = 80;

/** An OpenAPI document, of which nothing is looked at before it is asked for. */
export class OpenApiDocument {
  readonly root: JSONObject;
  /** Whether schemas are those of OpenAPI 3.0, and not of JSON Schema. */
  readonly is30: boolean;

  /** Throws an UnsupportedError. */
  constructor(root: unknown) {
    if (!isObject(root)) throw new UnsupportedError("its document is no OpenAPI document");
    const { openapi, swagger } = root;
    if (swagger !== undefined && openapi === undefined) {
      throw new UnsupportedError(
        "its document is of Swagger 2; convert it to OpenAPI 3.0 or newer",
      );
    }
    if (typeof openapi !== "string" || !/^3\.\d/.test(openapi)) {
      throw new UnsupportedError("its document is no OpenAPI document of version 3.0 or 3.1");
    }
    this.root = root;
    this.is30 = /^3\.0(\.|$)/.test(openapi);
  }

  /** The value that a `$ref` leads to. No other document is read for it. Throws an UnsupportedError. */
  at(reference: string): unknown {
    if (!reference.startsWith("#")) {
      throw new UnsupportedError(
        `it refers to another document (${shown(reference)}), which is not read; put it all into one document`,
      );
    }
    const found = valueAt(this.root, stepsOf(reference));
    if (found === undefined) {
      throw new UnsupportedError(
        `it refers to ${shown(reference)}, which its document does not have`,
      );
    }
    return found;
  }

  /** What stands at the end of references. */
  resolved(value: unknown): JSONObject {
    let found = value;
    for (let followed = 0; followed <= MAX_REFERENCES; followed += 1) {
      if (!isObject(found)) return {};
      const { $ref } = found;
      if (typeof $ref !== "string") return found;
      found = this.at($ref);
    }
    throw new UnsupportedError("it has references that lead to each other without end");
  }

  /** The same for what an operation can do without. */
  resolvedIfThere(value: unknown): JSONObject {
    try {
      return this.resolved(value);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      return {};
    }
  }
}

export function isObject(value: unknown): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** What a foreign object has under a key, and nothing that every object has. */
export function ownValue(object: JSONObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The text on one line, cut off where it is long. */
export function shown(text: string): string {
  return JSON.stringify(
    text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text,
  );
}

function stepsOf(reference: string): readonly string[] | undefined {
  const pointer = decoded(reference.slice(1));
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function valueAt(root: unknown, steps: readonly string[] | undefined): unknown {
  let found = steps === undefined ? undefined : root;
  for (const step of steps ?? []) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) {
      return undefined;
    }
    found = (found as JSONObject)[step];
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
