/**
 * A copy of a JSON value in which no field is `undefined`. What leaves the decisions is compared and written as a whole, and a field
 * that is there with the value `undefined` would count as a difference.
 */
export function withoutUndefined<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutUndefined(item)) as T;
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => [name, withoutUndefined<unknown>(field)] as const);
  return Object.fromEntries(fields) as T;
}
