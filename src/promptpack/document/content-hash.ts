import { hash } from "node:crypto";

const HASH_LENGTH = 12;

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
  for (const name of Object.keys(value).sort()) {
    const field = (value as Record<string, unknown>)[name];
    if (field === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${canonicalJSON(field)}`;
  }
  return `{${text}}`;
}
