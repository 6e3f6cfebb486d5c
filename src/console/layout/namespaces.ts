import type { ResourceLists } from "../api/resource-lists.ts";

/** The namespaces that there is something in, and those that the caller may see into. */
export function namespacesOf(
  lists: readonly ResourceLists[keyof ResourceLists][],
  known: readonly string[],
): string[] {
  const names = new Set(known);
  for (const list of lists) for (const { namespace } of list) names.add(namespace);
  return [...names].filter((name) => name !== "*").toSorted();
}
