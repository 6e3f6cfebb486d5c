/** Lists and objects in each other. What is read, written or compared recursively must not be nested more deeply. */
export const MAX_JSON_DEPTH = 100;

/** Asks without recursion, since the value may be nested as deeply as its author likes. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_JSON_DEPTH) return true;
    level = level.flatMap((one) =>
      typeof one === "object" && one !== null ? (Object.values(one) as unknown[]) : [],
    );
  }
  return false;
}
