/** Parts of a list. What comes before and after a part is told by a key, so that a list may change between two requests. */
import type { Page } from "../../../http-api/page.ts";
import { ApiProblem } from "./api-problem.ts";

/** The parts of a key are compared one after the other, numbers and texts each by their own order. */
export type SortKey = readonly (number | string)[];

const MAX_CURSOR_LENGTH = 2_048;

/** The items after `after`, `limit` of them at most. No two items may have the same key. */
export function pageOfSorted<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => SortKey,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Page<Item> {
  const from = after === undefined ? undefined : readCursor(after);
  const keyed = items
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => from === undefined || compareKeys(key, from) > 0)
    .toSorted((a, b) => compareKeys(a.key, b.key));
  const page = keyed.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    next: last === undefined || page.length === keyed.length ? undefined : cursorOf(last.key),
  };
}

function cursorOf(key: SortKey): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

function readCursor(text: string): SortKey {
  if (text.length <= MAX_CURSOR_LENGTH) {
    try {
      const key: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
      if (Array.isArray(key) && key.every(isPart)) return key;
    } catch {
      // It is no cursor of ours.
    }
  }
  throw new ApiProblem("InvalidRequest", "after is not what the part before gave as next", {
    cure: "Ask without after for the beginning of the list.",
  });
}

function isPart(value: unknown): value is number | string {
  return typeof value === "number" || typeof value === "string";
}

function compareKeys(a: SortKey, b: SortKey): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [one, other] = [a[index] ?? "", b[index] ?? ""];
    if (one === other) continue;
    if (typeof one === typeof other) return one < other ? -1 : 1;
    return typeof one === "number" ? -1 : 1;
  }
  return 0;
}
