import { hash } from "node:crypto";

const HASH_LENGTH = 12;
const FEW_FIELDS = 20;
/** A name that is the same in JSON. */
const PLAIN_NAME = /^[\w./-]*$/;

/**
 * 12 hex digits that stand for a JSON value. Neither the order of its fields nor whether it was written as JSON or YAML makes
 * a difference.
 */
export function contentHash(value: unknown): string {
  return hash("sha256", canonicalJSON(value), "hex").slice(0, HASH_LENGTH);
}

/** JSON without spaces, with fields in the order of their names and without fields that are `undefined`. */
export function canonicalJSON(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJSON).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  // Without pairs and lists in between, because an operator hashes every object of every agent again and again.
  let text = "";
  for (const name of sortedInPlace(Object.keys(value))) {
    const field = (value as Record<string, unknown>)[name];
    if (field === undefined) continue;
    text += `${text === "" ? "" : ","}${quoted(name)}:${canonicalJSON(field)}`;
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

function quoted(name: string): string {
  return PLAIN_NAME.test(name) ? `"${name}"` : JSON.stringify(name);
}
