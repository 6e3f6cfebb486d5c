export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** How messages name an object: with its namespace only where that is not plain. */
export function objectName(
  kind: string,
  { name, namespace }: { name: string; namespace?: string | undefined },
  ownNamespace: string,
): string {
  const elsewhere = namespace !== undefined && namespace !== ownNamespace;
  return `${kind} "${name}"${elsewhere ? ` in namespace "${namespace}"` : ""}`;
}

/** For the message about an object that `field` names. `hint`: another cure. */
export function notFound(object: string, field: string, hint: string | undefined): string {
  const cures = ["make it", ...(hint === undefined ? [] : [hint]), `or correct ${field}`];
  return `${object} is not there; ${cures.join(", ")}`;
}

/** `"a", "b"`; the first few when there are many. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const MAX_LISTED = 10;
