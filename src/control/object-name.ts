export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The name of an object in a message. It has the namespace only where that is not the namespace of the resource that the
 * message is about.
 */
export function objectName(
  kind: string,
  { name, namespace }: { name: string; namespace?: string | undefined },
  ownNamespace: string,
): string {
  const elsewhere = namespace !== undefined && namespace !== ownNamespace;
  return `${kind} "${name}"${elsewhere ? ` in namespace "${namespace}"` : ""}`;
}

/** The message about a missing object that `field` names. `hint` is another cure than to make the object. */
export function notFound(object: string, field: string, hint: string | undefined): string {
  const cures = ["make it", ...(hint === undefined ? [] : [hint]), `or correct ${field}`];
  return `${object} is not there; ${cures.join(", ")}`;
}

/** Lists names as `"a", "b"`. When there are many, it lists the first ones and counts the others. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const MAX_LISTED = 10;
