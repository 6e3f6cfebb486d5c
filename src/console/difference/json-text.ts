/** JSON as text with its keys in order, so that the same value is always the same text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) => sorted(held), 2) ?? "";
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
}
