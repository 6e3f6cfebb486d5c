import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../../test/support/builders/manual-clock.ts";
import { MemorySessionStore } from "./memory-session-store.ts";
import { newSessionId } from "../session-id.ts";
import { StoreFullError, TURN_LEASE_MS, type TurnLease } from "../session-store.ts";
import { all, answer, aSession, chunk, done, never, OWNER } from "../contract/turns.ts";
import { describeSessionStore } from "../contract/session-store.contract.ts";

describeSessionStore("MemorySessionStore", async ({ ttlMs, leaseMs }) => {
  const clock = new ManualClock();
  const store = new MemorySessionStore({ ttlMs, clock, leaseMs });
  return {
    store,
    other: store,
    passTime: (_, ms) => clock.advance(ms),
    pause: () => clock.advance(5),
    dispose: () => store.close(),
  };
});

async function sayIn(
  store: MemorySessionStore,
  sessionId: string,
  userMessage = "?",
): Promise<TurnLease> {
  const turnId = newSessionId(randomBytes);
  const begun = await store.beginTurn(sessionId, OWNER, { turnId, userMessage });
  if (begun.status !== "started") throw new Error(begun.status);
  return begun.lease;
}

describe("MemorySessionStore, within its bounds", () => {
  const ttlMs = 60_000;

  it("lets the sessions go whose ttl is over, without being asked, with one timer", async () => {
    const clock = new ManualClock();
    const store = new MemorySessionStore({ ttlMs, clock });
    for (let session = 0; session < 100; session++) await aSession(store);
    const used = await aSession(store);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(ttlMs / 2);
    await store.find(used, OWNER);
    await clock.advance(ttlMs / 2);
    expect(store.activeSessions()).toBe(1);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(ttlMs);
    expect(store.activeSessions()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.for([0, 1, 20, 5_000])(
    "keeps a session for its ttl from the end of a turn that took %d ms",
    async (tookMs) => {
      const clock = new ManualClock();
      const store = new MemorySessionStore({ ttlMs, clock });
      const sessionId = await aSession(store);
      await clock.advance(ttlMs / 2);
      const lease = await sayIn(store, sessionId);
      await clock.advance(tookMs);
      await store.endTurn(lease, { frames: [done(lease, 1)], messages: [answer(lease)] });
      await clock.advance(ttlMs - 1);
      expect(store.activeSessions()).toBe(1);
      await clock.advance(1);
      expect(store.activeSessions()).toBe(0);
    },
  );

  it("takes a ttl that is longer than a timer can wait", async () => {
    const clock = new ManualClock();
    const store = new MemorySessionStore({ ttlMs: 100 * 24 * 3_600_000, clock });
    const sessionId = await aSession(store);
    await clock.advance(99 * 24 * 3_600_000);
    expect(await store.find(sessionId, OWNER)).toBeDefined();
    await store.close();
  });

  it("looks at a bounded number of sessions for one page, and says where it stopped", async () => {
    const store = new MemorySessionStore({ ttlMs, clock: new ManualClock() });
    const oldest = await aSession(store);
    await sayIn(store, oldest);
    for (let session = 0; session < 10_000; session++) await aSession(store);
    // All of them were active in one moment, so this one may be anywhere among them.
    const found: string[] = [];
    let pages = 0;
    let after: string | undefined;
    do {
      const page = await store.list({ limit: 5, state: "running", after });
      found.push(...page.sessions.map(({ id }) => id));
      after = page.next;
      pages += 1;
    } while (after !== undefined);
    expect(found).toEqual([oldest]);
    expect(pages).toBe(2);
    await store.close();
  });

  it("lets the session go that was not used for the longest time when there are too many", async () => {
    const store = new MemorySessionStore({ ttlMs, clock: new ManualClock(), maxSessions: 3 });
    const [first, second, third] = [
      await aSession(store),
      await aSession(store),
      await aSession(store),
    ];
    await store.find(first, OWNER);
    const fourth = await aSession(store);
    expect(store.activeSessions()).toBe(3);
    expect(await store.find(second, OWNER)).toBeUndefined();
    for (const kept of [first, third, fourth]) expect(await store.find(kept, OWNER)).toBeDefined();
  });

  it("lets no session go that has a running turn, and says so when there are only such", async () => {
    const clock = new ManualClock();
    const store = new MemorySessionStore({ ttlMs, clock, maxSessions: 2 });
    const running = [await aSession(store), await aSession(store)];
    const leases = [];
    for (const sessionId of running) leases.push(await sayIn(store, sessionId));
    await expect(aSession(store)).rejects.toThrow(StoreFullError);
    for (const sessionId of running) expect(await store.find(sessionId, OWNER)).toBeDefined();
    await store.endTurn(leases[1] as TurnLease, { frames: [], messages: [] });
    await aSession(store);
    expect(await store.find(running[0] as string, OWNER)).toBeDefined();
    expect(await store.find(running[1] as string, OWNER)).toBeUndefined();
    // A turn whose lease has ended does not hold its place.
    await clock.advance(TURN_LEASE_MS);
    await aSession(store);
    await aSession(store);
    expect(await store.find(running[0] as string, OWNER)).toBeUndefined();
  });

  it("keeps to its bytes, whatever they are spent on", async () => {
    const maxBytes = 1024 * 1024;
    const store = new MemorySessionStore({ ttlMs, clock: new ManualClock(), maxBytes });
    const text = "x".repeat(100 * 1024);
    const sessionIds: string[] = [];
    for (let session = 0; session < 20; session++) {
      const sessionId = await aSession(store);
      sessionIds.push(sessionId);
      const lease = await sayIn(store, sessionId, text);
      await store.appendFrames(lease, [chunk(lease, 1, text)]);
      const message = { ...answer(lease), content: text } as const;
      await store.endTurn(lease, { frames: [done(lease, 2)], messages: [message] });
    }
    // 300 KiB each.
    expect(store.activeSessions()).toBe(3);
    expect(await store.find(sessionIds[16] as string, OWNER)).toBeUndefined();
    expect(await store.find(sessionIds[17] as string, OWNER)).toBeDefined();
  });

  it("refuses what does not fit beside running turns, and forgets nothing of them", async () => {
    const maxBytes = 512 * 1024;
    const store = new MemorySessionStore({ ttlMs, clock: new ManualClock(), maxBytes });
    const sessionId = await aSession(store);
    const lease = await sayIn(store, sessionId, "x".repeat(300 * 1024));
    const tooMuch = "x".repeat(300 * 1024);
    await expect(store.appendFrames(lease, [chunk(lease, 1, tooMuch)])).rejects.toThrow(
      StoreFullError,
    );
    const other = await aSession(store);
    await expect(sayIn(store, other, tooMuch)).rejects.toThrow(StoreFullError);
    expect(await store.find(other, OWNER)).toEqual({ lastSeq: 0 });
    await store.endTurn(lease, { frames: [done(lease, 1)], messages: [answer(lease)] });
    expect(await store.history(sessionId)).toHaveLength(2);
    await sayIn(store, other, tooMuch);
    expect(await store.find(sessionId, OWNER)).toBeUndefined();
  });

  it("gives back what frames took when their time is over, without being asked", async () => {
    const clock = new ManualClock();
    const maxBytes = 1024 * 1024;
    const store = new MemorySessionStore({ ttlMs: 24 * 3_600_000, clock, maxBytes });
    const text = "x".repeat(400 * 1024);
    const first = await aSession(store);
    const lease = await sayIn(store, first);
    await store.appendFrames(lease, [chunk(lease, 1, text), chunk(lease, 2, text)]);
    await store.endTurn(lease, { frames: [], messages: [] });
    await clock.advance(11 * 60_000);
    const second = await aSession(store);
    const next = await sayIn(store, second);
    await store.appendFrames(next, [chunk(next, 1, text), chunk(next, 2, text)]);
    expect(await store.find(first, OWNER)).toEqual({ lastSeq: 2 });
  });

  it("keeps the frames of a session's last turns up to a limit", async () => {
    const store = new MemorySessionStore({ ttlMs, clock: new ManualClock() });
    const sessionId = await aSession(store);
    const text = "x".repeat(1_000_000);
    for (let turn = 1; turn <= 10; turn++) {
      const lease = await sayIn(store, sessionId);
      await store.endTurn(lease, { frames: [chunk(lease, turn, text)], messages: [] });
    }
    await expect(all(store.frames(sessionId, 0, never))).rejects.toMatchObject({ keptAfter: 2 });
    const kept = await all(store.frames(sessionId, 2, never));
    expect(kept.map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("ends those who follow a session when it is closed", async () => {
    const store = new MemorySessionStore({ ttlMs, clock: new ManualClock() });
    const sessionId = await aSession(store);
    await sayIn(store, sessionId);
    const frames = all(store.frames(sessionId, 0, never));
    await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    await expect(frames).rejects.toThrow("closed");
  });
});

describe("MemorySessionStore, with a client that sends much", () => {
  const text = "x".repeat(500_000);
  const clientOf = (holder: string) => ({ owner: OWNER, holder });

  function aStore(maxBytes = 32 * 1024 * 1024): MemorySessionStore {
    return new MemorySessionStore({ ttlMs: 3_600_000, clock: new ManualClock(), maxBytes });
  }

  async function echo(store: MemorySessionStore, sessionId: string, said: string): Promise<void> {
    const lease = await sayIn(store, sessionId, said);
    const frame = { ...done(lease, lease.seqBefore + 1), content: said };
    const message = { ...answer(lease), content: said } as const;
    await store.endTurn(lease, { frames: [frame], messages: [message] });
  }

  /** Sessions of other clients, which have rested for longer than any session of the one that sends much. */
  async function smallOnes(store: MemorySessionStore, holderOf: (client: number) => string) {
    const sessionIds: string[] = [];
    for (let client = 0; client < 50; client++) {
      const sessionId = await aSession(store, clientOf(holderOf(client)));
      await echo(store, sessionId, "hello");
      sessionIds.push(sessionId);
    }
    return sessionIds;
  }

  async function expectWhole(store: MemorySessionStore, sessionIds: readonly string[]) {
    for (const sessionId of sessionIds) expect(await store.history(sessionId)).toHaveLength(2);
  }

  it.each([
    ["in one session", (): number => 0],
    ["in a session for each message", (at: number): number => at],
    ["in a few sessions", (at: number): number => at % 7],
  ])("keeps the sessions of all others, when it sends %s", async (_, sessionOf) => {
    const store = aStore();
    const kept = await smallOnes(store, (client) => `client ${client}`);
    const sessions = new Map<number, string>();
    for (let at = 0; at < 150; at++) {
      const key = sessionOf(at);
      let sessionId = sessions.get(key);
      if (sessionId === undefined || (await store.find(sessionId, OWNER)) === undefined) {
        sessionId = await aSession(store, clientOf("big"));
        sessions.set(key, sessionId);
      }
      await echo(store, sessionId, text);
    }
    await expectWhole(store, kept);
  });

  it("keeps the usual sessions of the same address", async () => {
    const store = aStore();
    const kept = await smallOnes(store, () => "a proxy");
    for (let at = 0; at < 150; at++)
      await echo(store, await aSession(store, clientOf("a proxy")), text);
    await expectWhole(store, kept);
  });

  it("keeps the sessions of all others, when it makes as many as it can", async () => {
    const store = new MemorySessionStore({
      ttlMs: 3_600_000,
      clock: new ManualClock(),
      maxSessions: 30_000,
    });
    const kept = await smallOnes(store, (client) => `client ${client}`);
    for (let at = 0; at < 40_000; at++) await aSession(store, clientOf("big"));
    expect(store.activeSessions()).toBe(30_000);
    await expectWhole(store, kept);
  });

  it("leaves room for others beside all the turns that it lets run", async () => {
    const store = aStore();
    const kept = await smallOnes(store, (client) => `client ${client}`);
    const begun = async () => sayIn(store, await aSession(store, clientOf("big")), text);
    const leases: TurnLease[] = [];
    await expect(
      (async () => {
        for (let at = 0; at < 100; at++) leases.push(await begun());
      })(),
    ).rejects.toThrow(StoreFullError);
    expect(leases.length * text.length).toBeGreaterThan(26 * 1024 * 1024);
    for (let client = 0; client < 50; client++) {
      const sessionId = await aSession(store, clientOf(`another ${client}`));
      await echo(store, sessionId, "x".repeat(10_000));
      kept.push(sessionId);
    }
    await expectWhole(store, kept);
    // No turn was lost.
    for (const lease of leases) await store.renewTurn(lease);
  });

  it("lets it have what nobody else needs", async () => {
    const store = aStore();
    const sessionIds: string[] = [];
    for (let at = 0; at < 20; at++) {
      const sessionId = await aSession(store, clientOf("big"));
      sessionIds.push(sessionId);
      await echo(store, sessionId, text);
    }
    await expectWhole(store, sessionIds);
  });

  it("keeps a client to the bytes that one may have, as set while it is used", async () => {
    const store = aStore();
    const [first, second, third] = [
      await aSession(store, clientOf("big")),
      await aSession(store, clientOf("big")),
      await aSession(store, clientOf("big")),
    ];
    const others = await aSession(store, clientOf("another"));
    for (const sessionId of [others, first, second]) await echo(store, sessionId, text);
    // Three parts are one session: what was said, what was answered, and its frame.
    store.setMaxBytesPerHolder(8 * text.length);
    await store.find(first, OWNER);
    await echo(store, third, text);
    expect(await store.find(second, OWNER)).toBeUndefined();
    await expectWhole(store, [others, first, third]);
  });
});
