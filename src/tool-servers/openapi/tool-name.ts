import { hash } from "node:crypto";

export const MAX_NAME_CHARACTERS = 64;
const HASH_CHARACTERS = 8;

/** The name that an operation has as a tool, which every provider takes. A name that is cut ends with a hash, so that names stay apart. */
export function operationToolName(operationId: string): string {
  const clean = operationId.replaceAll(/[^a-zA-Z0-9_-]+/g, "_").replaceAll(/^_+|_+$/g, "");
  const name = clean || "operation";
  if (name.length <= MAX_NAME_CHARACTERS) return name;
  const digest = hash("sha256", operationId, "hex").slice(0, HASH_CHARACTERS);
  return `${name.slice(0, MAX_NAME_CHARACTERS - HASH_CHARACTERS - 1)}_${digest}`;
}
