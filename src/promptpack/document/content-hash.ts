import { hash } from "node:crypto";

const HASH_LENGTH = 12;
const FEW_FIELDS = 20;
/** Numbers come first in every object of JavaScript, in their own order, and an assignment to the other name sets the prototype. */
const UNFIT_NAME = /^(?:\d|__proto__$)/;
/** Stands for the copy of a value with such a name. */
const UNFIT = Symbol("unfit");

/**
 * 12 hex digits that stand for a JSON value. Neither the order of its fields nor whether it was written as JSON or YAML makes
 * a difference.
 */
export function contentHash(value: unknown): string {
  return hash("sha256", canonicalJSON(value), "hex").slice(0, HASH_LENGTH);
}

/** JSON without spaces, with fields in the order of their names and without fields that are `undefined`. */
export function canonicalJSON(value: unknown): string {
  // An operator hashes every object of every agent again and again. One text from the engine is hashed much sooner than one that
  // was grown here from hundreds of pieces.
  const copy = copyInOrder(value);
  return copy === UNFIT ? textInOrder(value) : (JSON.stringify(copy) ?? "null");
}

/** A copy whose fields were made in the order of their names, which is the order in which JSON.stringify writes them. */
function copyInOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      const copy = copyInOrder(item);
      if (copy === UNFIT) return UNFIT;
      items.push(copy);
    }
    return items;
  }
  const fields: Record<string, unknown> = {};
  for (const name of sortedInPlace(Object.keys(value))) {
    if (UNFIT_NAME.test(name)) return UNFIT;
    const copy = copyInOrder((value as Record<string, unknown>)[name]);
    if (copy === UNFIT) return UNFIT;
    fields[name] = copy;
  }
  return fields;
}

function textInOrder(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textInOrder).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  let text = "";
  for (const name of sortedInPlace(Object.keys(value))) {
    const field = (value as Record<string, unknown>)[name];
    if (field === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${textInOrder(field)}`;
  }
  return `{${text}}`;
}

/** As `sort`, which takes several lists of its own for even the shortest list. Most objects have few fields. */
function sortedInPlace(names: string[]): string[] {
  if (names.length > FEW_FIELDS) return names.sort();
  for (let end = 1; end < names.length; end += 1) {
    const name = names[end] as string;
    let at = end;
    for (; at > 0 && (names[at - 1] as string) > name; at -= 1) names[at] = names[at - 1] as string;
    names[at] = name;
  }
  return names;
}
