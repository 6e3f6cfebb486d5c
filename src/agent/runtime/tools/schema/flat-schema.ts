/** Brings what `$ref` and `allOf` spread over several schemas into one. References that do not end are cut. */
export type JSONSchema = Readonly<Record<string, unknown>>;

/** A schema, and the references that led to it. */
interface Place {
  readonly schema: unknown;
  readonly references: readonly string[];
}

/** What must hold together. */
export type Together = readonly Place[];

export interface FlatSchema {
  /** The keywords that have no schemas in them. */
  keywords: Record<string, unknown>;
  /** Each has one of these alternatives. */
  properties: Map<string, readonly Together[]>;
  required: Set<string>;
  items: readonly Together[];
  additionalProperties: Place | undefined;
  /** Of each, one alternative holds. */
  unions: (readonly Together[])[];
  /** Whether no value is right. */
  isNever: boolean;
}

/** The schema is too large to be brought into one. */
export class SchemaTooLargeError extends Error {
  override readonly name = "SchemaTooLargeError";
}

/** A reference within itself is followed this often, so that a model sees the form of a tree. */
const MAX_SELF_REFERENCES = 2;
const MAX_ANCHOR_SEARCH = 5_000;
/** References that lead to each other beyond this number are not followed. */
const MAX_REFERENCES = 64;
/** The keywords without schemas in them that a model may be told. */
const PLAIN = [
  "type",
  "title",
  "description",
  "enum",
  "const",
  "nullable",
  "format",
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "pattern",
  "default",
] as const;

export class SchemaFlattener {
  readonly #root: unknown;
  #visitsLeft: number;

  constructor(root: unknown, maxVisits: number) {
    this.#root = root;
    this.#visitsLeft = maxVisits;
  }

  get root(): Together {
    return [{ schema: this.#root, references: [] }];
  }

  /** Throws a SchemaTooLargeError when all that was asked for is too much work. */
  flat(together: Together, base: FlatSchema = emptySchema()): FlatSchema {
    const flat = copyOf(base);
    for (const place of together) this.#add(flat, place);
    return flat;
  }

  #add(flat: FlatSchema, { schema, references }: Place): void {
    this.#visitsLeft -= 1;
    if (this.#visitsLeft < 0) throw new SchemaTooLargeError();
    if (schema === false) flat.isNever = true;
    if (!isObject(schema)) return;
    for (const reference of [schema["$ref"], schema["$dynamicRef"]]) {
      if (typeof reference !== "string") continue;
      const times = references.filter((each) => each === reference).length;
      if (times >= MAX_SELF_REFERENCES || references.length >= MAX_REFERENCES) continue;
      const target = this.#resolve(reference);
      this.#add(flat, { schema: target, references: [...references, reference] });
    }
    for (const part of listOf(schema["allOf"])) this.#add(flat, { schema: part, references });
    this.#addOwn(flat, schema, references);
  }

  #addOwn(flat: FlatSchema, schema: JSONSchema, references: readonly string[]): void {
    const place = (part: unknown): Place => ({ schema: part, references });
    for (const keyword of PLAIN) {
      if (Object.hasOwn(schema, keyword)) flat.keywords[keyword] = schema[keyword];
    }
    const { properties, required, items, prefixItems, additionalProperties } = schema;
    for (const [name, property] of isObject(properties) ? Object.entries(properties) : []) {
      const before = flat.properties.get(name);
      if (before === undefined) flat.properties.set(name, [[place(property)]]);
      else if (before.length === 1) {
        flat.properties.set(name, [[...(before[0] ?? []), place(property)]]);
      }
    }
    for (const name of listOf(required)) if (typeof name === "string") flat.required.add(name);
    const lists = [...listOf(prefixItems), ...(Array.isArray(items) ? listOf(items) : [])];
    if (items !== undefined && !Array.isArray(items) && items !== false) lists.push(items);
    if (lists.length > 0) flat.items = lists.map((item) => [place(item)]);
    if (additionalProperties !== undefined) {
      flat.additionalProperties = place(additionalProperties);
    }
    for (const union of [schema["anyOf"], schema["oneOf"]]) {
      const branches = listOf(union);
      if (branches.length > 0) flat.unions.push(branches.map((branch) => [place(branch)]));
    }
  }

  /** `undefined` for what is not within the schema. */
  #resolve(reference: string): unknown {
    if (!reference.startsWith("#")) return undefined;
    const pointer = decoded(reference.slice(1));
    if (pointer !== "" && !pointer.startsWith("/")) return this.#anchored(pointer);
    let at: unknown = this.#root;
    for (const step of pointer.split("/").slice(1)) {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Record<string, unknown>)[key];
    }
    return at;
  }

  #anchored(name: string): unknown {
    const left: unknown[] = [this.#root];
    for (let searched = 0; searched < MAX_ANCHOR_SEARCH; searched += 1) {
      const at = left.pop();
      if (typeof at === "object" && at !== null) {
        const { $anchor, $dynamicAnchor } = at as JSONSchema;
        if ($anchor === name || $dynamicAnchor === name) return at;
        left.push(...(Object.values(at) as unknown[]));
      }
      if (left.length === 0) break;
    }
    return undefined;
  }
}

export function emptySchema(): FlatSchema {
  return {
    keywords: {},
    properties: new Map(),
    required: new Set(),
    items: [],
    additionalProperties: undefined,
    unions: [],
    isNever: false,
  };
}

function copyOf(flat: FlatSchema): FlatSchema {
  return {
    ...flat,
    keywords: { ...flat.keywords },
    properties: new Map(flat.properties),
    required: new Set(flat.required),
    unions: [...flat.unions],
  };
}

export function isObject(value: unknown): value is JSONSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
