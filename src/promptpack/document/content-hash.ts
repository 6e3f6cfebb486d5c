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
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJSON(field)}`);
  return `{${fields.join(",")}}`;
}
