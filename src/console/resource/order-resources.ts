import type { ExplainView } from "../../http-api/resource-views.ts";

interface Listed {
  readonly namespace: string;
  readonly name: string;
  readonly explain?: ExplainView | undefined;
}

/** Those that match, by name, and those with a cause to look at first. */
export function orderResources<Item extends Listed>(
  items: readonly Item[],
  { q = "", ns }: { q?: string | undefined; ns?: string | undefined },
): Item[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return items
    .filter(({ namespace, name }) => {
      const text = `${namespace}/${name}`.toLowerCase();
      return (ns === undefined || namespace === ns) && words.every((word) => text.includes(word));
    })
    .toSorted(
      (a, b) =>
        Number(a.explain === undefined) - Number(b.explain === undefined) ||
        compare(a.name, b.name) ||
        compare(a.namespace, b.namespace),
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
