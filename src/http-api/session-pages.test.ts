import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareSessions,
  mergeSessionPages,
  readSessionCursor,
  sessionCursor,
  type SessionPosition,
} from "./session-pages.ts";
import type { SessionView } from "./session-views.ts";

const positions = fc.uniqueArray(
  fc.record({
    lastActiveAt: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_020 }),
    id: fc.stringMatching(/^[\w.:~-]{1,8}$/),
  }),
  { selector: ({ id }) => id, maxLength: 40 },
);

function view({ lastActiveAt, id }: SessionPosition): SessionView {
  return {
    id,
    title: "",
    createdAt: new Date(0).toISOString(),
    lastActiveAt: new Date(lastActiveAt).toISOString(),
    expiresAt: new Date(0).toISOString(),
    turns: 0,
    toolCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    state: "idle",
  };
}

/** A page as a store gives it. */
function pageOf(store: readonly SessionPosition[], after: string | undefined, limit: number) {
  const place = after === undefined ? undefined : readSessionCursor(after);
  const following = store
    .toSorted(compareSessions)
    .filter((each) => place === undefined || compareSessions(each, place) > 0);
  const page = following.slice(0, limit);
  const last = page.at(-1);
  const hasMore = following.length > limit && last !== undefined;
  return { items: page.map(view), ...(hasMore && { next: sessionCursor(last) }) };
}

describe("a cursor between pages of sessions", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(positions, (all) => {
        for (const each of all) expect(readSessionCursor(sessionCursor(each))).toEqual(each);
      }),
    );
  });

  it.each(["", "1", "1-", "-a", "a-1", "1-a/b", " 1-a", "1-a ", "99999999999999999-a"])(
    "is not %j",
    (text) => expect(readSessionCursor(text)).toBeUndefined(),
  );
});

describe("pages of several stores, merged", () => {
  it("give every session once, in order, whatever the stores have and however short the pages are", () => {
    const limits = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(positions, fc.integer({ min: 1, max: 4 }), limits, (all, count, limits) => {
        const stores = Array.from({ length: count }, (_, store) =>
          all.filter((__, at) => at % count === store),
        );
        const [own, limit] = limits;
        const given: string[] = [];
        let after: string | undefined;
        for (let turns = 0; turns < 200; turns++) {
          const page = mergeSessionPages(
            stores.map((store) => pageOf(store, after, own)),
            limit,
          );
          given.push(...page.items.map(({ id }) => id));
          after = page.next;
          if (after === undefined) break;
        }
        expect(given).toEqual(all.toSorted(compareSessions).map(({ id }) => id));
      }),
    );
  });

  it("go on where a store looked at many sessions and gave none", () => {
    const empty = { items: [], next: "1700000000005-m" };
    const [newer, older] = [
      view({ lastActiveAt: 1_700_000_000_009, id: "a" }),
      view({ lastActiveAt: 1_700_000_000_001, id: "b" }),
    ];
    const page = mergeSessionPages([empty, { items: [newer, older] }], 10);
    expect(page).toEqual({ items: [newer], next: "1700000000005-m" });
  });
});
