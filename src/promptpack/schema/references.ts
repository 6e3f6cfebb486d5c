import type { FieldPath } from "../../api/fields/problems.ts";
import { isObject, type JSONObject } from "./schema-node.ts";

export type Reference =
  | { readonly ok: true; readonly schema: unknown; readonly place: FieldPath }
  | { readonly ok: false; readonly problem: string };

/** Finds what a `$ref` leads to: a place in the schema itself, by its path or by its name. */
export class References {
  readonly #root: JSONObject;
  #anchors: ReadonlyMap<string, unknown> | undefined;

  constructor(root: JSONObject) {
    this.#root = root;
  }

  resolve(reference: string): Reference {
    if (!reference.startsWith("#")) {
      return { ok: false, problem: "leads out of the schema; write out what is there under $defs" };
    }
    const fragment = decoded(reference.slice(1));
    const place = fragment.startsWith("/") ? placeOf(fragment) : [];
    const isPath = fragment === "" || place.length > 0;
    const schema = isPath ? valueAt(this.#root, place) : this.#anchored(fragment);
    if (schema === undefined) return { ok: false, problem: "leads nowhere; correct it" };
    return { ok: true, schema, place };
  }

  #anchored(name: string): unknown {
    this.#anchors ??= anchorsOf(this.#root);
    return this.#anchors.get(name);
  }
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function placeOf(pointer: string): string[] {
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function valueAt(root: JSONObject, place: readonly string[]): unknown {
  let found: unknown = root;
  for (const step of place) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step))
      return undefined;
    found = (found as JSONObject)[step];
  }
  return found;
}

function anchorsOf(root: JSONObject): Map<string, unknown> {
  const anchors = new Map<string, unknown>();
  const rest: unknown[] = [root];
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (isObject(value)) {
      const { $anchor, $dynamicAnchor, $id } = value;
      const named = typeof $id === "string" && $id.startsWith("#") ? $id.slice(1) : undefined;
      for (const name of [$anchor, $dynamicAnchor, named]) {
        if (typeof name === "string") anchors.set(name, value);
      }
    }
    rest.push(...(Object.values(value) as unknown[]));
  }
  return anchors;
}
