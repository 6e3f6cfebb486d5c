import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../../test/support/builders/manual-clock.ts";
import { compareSessions } from "../../../http-api/session-pages.ts";
import { ExpiryQueue } from "../expiry-queue.ts";
import type { ListedSession, SessionQuery } from "../session-listing.ts";
import { listSessions } from "./list-sessions.ts";
import { newMemorySession, type MemorySession } from "./memory-session.ts";

/** Milliseconds since 1970 when the clock is at 0. */
const EPOCH = 1_000;
const IDS = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;

function described(session: MemorySession): ListedSession {
  const { id, owner, touchedAt } = session;
  const state = id < "d" ? "failed" : "idle";
  const lastActiveAt = Math.floor(touchedAt + EPOCH);
  return { id, owner, state, lastActiveAt } as unknown as ListedSession;
}

/** All sessions that the query is about, in their order. */
function naive(sessions: readonly MemorySession[], { owner, state }: Omit<SessionQuery, "limit">) {
  return sessions
    .map((session) => described(session))
    .filter((each) => owner === undefined || each.owner === owner)
    .filter((each) => state === undefined || each.state === state)
    .toSorted(compareSessions);
}

async function touched(steps: readonly (readonly [number, number, boolean])[]) {
  const clock = new ManualClock();
  const queue = new ExpiryQueue<MemorySession>(clock, 1e9, () => {});
  const all = new Map<string, MemorySession>();
  for (const [which, wait, isDeleted] of steps) {
    await clock.advance(wait / 4);
    const id = IDS[which] ?? "a";
    const owner = which % 2 === 0 ? "even" : "odd";
    const session = all.get(id) ?? newMemorySession(id, { owner, holder: owner }, 0);
    if (isDeleted) {
      all.delete(id);
      queue.delete(session);
      continue;
    }
    all.set(id, session);
    session.touchedAt = clock.monotonic();
    queue.touch(session);
  }
  const page = (query: SessionQuery) =>
    listSessions(query, {
      newestFirst: (until) =>
        queue.newestFirst(until === undefined ? undefined : until + 1 - EPOCH),
      activeAt: ({ touchedAt }) => Math.floor(touchedAt + EPOCH),
      describe: described,
    });
  return { page, sessions: [...all.values()] };
}

describe("a list of sessions in memory", () => {
  it("has, page by page, what a walk through all of them has", async () => {
    const steps = fc.array(fc.tuple(fc.nat(IDS.length - 1), fc.nat(6), fc.boolean()), {
      maxLength: 60,
    });
    const filters = fc.record({
      owner: fc.constantFrom(undefined, "even", "odd"),
      state: fc.constantFrom(undefined, "idle", "failed"),
    });
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 4 }),
        filters,
        async (each, limit, filter) => {
          const { page, sessions } = await touched(each);
          const seen: ListedSession[] = [];
          let after: string | undefined;
          do {
            const part = page({ ...(filter as object), limit, after });
            expect(part.sessions.length).toBeLessThanOrEqual(limit);
            seen.push(...part.sessions);
            after = part.next;
          } while (after !== undefined);
          expect(seen).toEqual(naive(sessions, filter as object));
        },
      ),
    );
  });

  it("looks at no more sessions than a page has, wherever it is", async () => {
    const clock = new ManualClock();
    const queue = new ExpiryQueue<MemorySession>(clock, 1e9, () => {});
    for (let number = 0; number < 5_000; number += 1) {
      await clock.advance(1);
      const session = newMemorySession(`s${number}`, { owner: "o", holder: "o" }, 0);
      session.touchedAt = clock.monotonic();
      queue.touch(session);
    }
    let looked = 0;
    let after: string | undefined;
    for (let number = 0; number < 40; number += 1) {
      looked = 0;
      const { next } = listSessions(
        { limit: 50, after },
        {
          newestFirst: (until) => queue.newestFirst(until === undefined ? undefined : until + 1),
          activeAt: ({ touchedAt }) => {
            looked += 1;
            return Math.floor(touchedAt);
          },
          describe: described,
        },
      );
      after = next;
      expect(looked).toBeLessThan(55);
    }
    expect(after).toMatch(/^3001-/);
  });
});
