/** How messages name an object: with its namespace only where that is not plain. */
export function objectName(
  kind: string,
  { name, namespace }: { name: string; namespace?: string | undefined },
  ownNamespace: string,
): string {
  const elsewhere = namespace !== undefined && namespace !== ownNamespace;
  return `${kind} "${name}"${elsewhere ? ` in namespace "${namespace}"` : ""}`;
}

/** `"a", "b"`; the first few when there are many. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const MAX_LISTED = 10;
