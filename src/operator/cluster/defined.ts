/** `T`, with `undefined` allowed in place of each field that may be absent. */
type OrUndefined<T> = {
  [Name in keyof T]: string extends Name
    ? T[Name] | undefined
    : object extends Pick<T, Name>
      ? T[Name] | undefined
      : T[Name];
};

/** Leaves out the fields that are undefined, because Kubernetes objects are compared by which fields they have. */
export function defined<T extends object>(fields: OrUndefined<T>): T {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as T;
}
