/** `T`, with `undefined` allowed in place of each field that may be absent. */
type OrUndefined<T> = {
  [Name in keyof T]: string extends Name
    ? T[Name] | undefined
    : object extends Pick<T, Name>
      ? T[Name] | undefined
      : T[Name];
};

/**
 * A copy of a JSON object in which no field is `undefined`, at any depth. What leaves the decisions and what is sent to Kubernetes is
 * compared and written as a whole, and a field that is there with the value `undefined` would count as a difference.
 */
export function withoutUndefined<T extends object>(fields: OrUndefined<T>): T {
  return copyOf(fields) as T;
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[name];
    if (field === undefined) continue;
    // A plain assignment to this name would set the prototype.
    if (name === "__proto__") Object.defineProperty(copy, name, own(copyOf(field)));
    else copy[name] = copyOf(field);
  }
  return copy;
}

function own(value: unknown): PropertyDescriptor {
  return { value, configurable: true, enumerable: true, writable: true };
}
