/** The longest value that is taken from an address. */
const MAX_LENGTH = 256;

/** Makes a reader of an address' query: the named keys, as texts, and nothing else. A number or a truth value in it was typed as a text. */
export function readSearch<Key extends string>(
  ...keys: readonly Key[]
): (search: Record<string, unknown>) => { [K in Key]?: string | undefined } {
  return (search) => {
    const read: { [K in Key]?: string | undefined } = {};
    for (const key of keys) {
      const value = search[key];
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
        continue;
      const text = String(value).slice(0, MAX_LENGTH);
      if (text !== "") read[key] = text;
    }
    return read;
  };
}
