/** What every session store must do for those who list its sessions. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mergeSessionPages } from "../../../http-api/session-pages.ts";
import type { SessionView } from "../../../http-api/session-views.ts";
import {
  InvalidCursorError,
  MAX_SESSIONS_PER_PAGE,
  type ListedSession,
  type SessionPage,
  type SessionQuery,
} from "../session-listing.ts";
import type { SessionStore } from "../session-store.ts";
import { approve, aWaitingSession } from "./session-approvals.contract.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import { aRecordedTurn, aSession, aTurn, begin, CLIENT, endWell, OWNER } from "./turns.ts";

const HOSTILE_TITLES: readonly [string, string, string][] = [
  ["cut in a pair", "😀".repeat(200), "😀".repeat(80)],
  ["one unit off the pairs", `a${"😀".repeat(200)}`, `a${"😀".repeat(79)}`],
  ["ill-formed", "a\ud800b\udc00", "a\ufffdb\ufffd"],
  ["control characters", "a\0b\tc\r\nd\u001b[31me\u0085f\u009bg", "a b c  d [31me f g"],
  ["lines and directions", "a\u2028b\u2029c\u202egnp.exe\u2066x\u2069", "a b c gnp.exe x "],
  ["a number sign and brackets", "<b>{\"a\":'#'}</b>", "<b>{\"a\":'#'}</b>"],
  ["nothing", "", ""],
];

export function describeSessionLists(open: OpenSubject): void {
  describe("the list of sessions", () => {
    let subject: ContractSubject;
    let store: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store } = subject);
    });
    afterEach(() => subject.dispose());

    /** Sessions that were active one after the other, the last one in the list first. */
    async function sessions(count: number, client = CLIENT): Promise<string[]> {
      const ids: string[] = [];
      for (let at = 0; at < count; at++) {
        const sessionId = await aSession(store, client);
        await aRecordedTurn(store, sessionId, "t1", { owner: client.owner });
        ids.unshift(sessionId);
        await subject.pause();
      }
      return ids;
    }

    async function pages(limit: number, query: Partial<SessionQuery> = {}): Promise<string[][]> {
      const all: string[][] = [];
      let after: string | undefined;
      do {
        const page = await store.list({ ...query, limit, after });
        all.push(idsOf(page));
        after = page.next;
      } while (after !== undefined);
      return all;
    }

    it("is empty where there is none", async () => {
      expect(await store.list({ limit: 50 })).toEqual({ sessions: [], unreadable: [] });
    });

    it("tells of a session what it is about and what it came to", async () => {
      const sessionId = await aSession(store);
      const before = await only(store);
      expect(before).toMatchObject({ id: sessionId, title: "", turns: 0, state: "idle" });
      await subject.pause();
      const call = { id: "c1", name: "weather", startedAt: 1, ms: 5, outcome: "ok" } as const;
      const asks = { turnId: "t1", userMessage: "How is the weather?" };
      const versions = { fresh: "v1", kept: ["v1"] };
      const begun = await store.beginTurn(sessionId, OWNER, { ...asks, promptVersions: versions });
      if (begun.status !== "started") throw new Error(begun.status);
      expect(await only(store)).toMatchObject({
        title: "How is the weather?",
        turns: 0,
        state: "running",
      });
      await store.endTurn(begun.lease, {
        frames: [],
        messages: [],
        record: {
          turnId: "t1",
          startedAt: 1,
          endedAt: 2,
          replicas: [],
          usage: { input_tokens: 30, output_tokens: 4 },
          workflowState: "asked",
          calls: [call, { ...call, id: "c2" }],
        },
      });
      await aRecordedTurn(store, sessionId, "t2", { workflowState: "answered" });
      const listed = await only(store);
      expect(listed).toEqual({
        id: sessionId,
        owner: OWNER,
        title: "How is the weather?",
        createdAt: before.createdAt,
        lastActiveAt: expect.any(Number) as number,
        expiresAt: expect.any(Number) as number,
        turns: 2,
        toolCalls: 2,
        inputTokens: 33,
        outputTokens: 8,
        state: "idle",
        packVersion: "v1",
        workflowState: "answered",
      });
      expect(listed.lastActiveAt).toBeGreaterThan(before.lastActiveAt);
      // They are on two clocks where Redis has one of its own.
      expect(Math.abs(listed.expiresAt - listed.lastActiveAt - TTL_MS)).toBeLessThan(1_000);
    });

    it("has the newest activity first, in pages of any size", async () => {
      const ids = await sessions(7);
      expect(await pages(50)).toEqual([ids]);
      expect(await pages(3)).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
      expect(await pages(7)).toEqual([ids]);
      expect((await pages(1)).flat()).toEqual(ids);
      const oldest = ids.at(-1) as string;
      await aTurn(store, oldest, "t2");
      expect(await pages(50)).toEqual([[oldest, ...ids.slice(0, -1)]]);
    });

    it("takes a limit for one that it can keep", async () => {
      const ids = await sessions(2);
      for (const limit of [0, -5]) {
        expect(idsOf(await store.list({ limit }))).toEqual(ids.slice(0, 1));
      }
      for (const limit of [MAX_SESSIONS_PER_PAGE + 1, 1e9]) {
        expect(idsOf(await store.list({ limit }))).toEqual(ids);
      }
    });

    it("gives no session twice to one who turns its pages while sessions are used", async () => {
      const ids = await sessions(9);
      const given: string[] = [];
      let after: string | undefined;
      let turn = 2;
      do {
        const page = await store.list({ limit: 2, after });
        given.push(...idsOf(page));
        after = page.next;
        await subject.pause();
        // One that was given, one that is yet to be given, and a new one come to the front.
        await aTurn(store, given[0] as string, `t${turn}`);
        await aTurn(store, ids[8] as string, `t${turn}`);
        await aTurn(store, await aSession(store), "t1");
        turn += 1;
      } while (after !== undefined);
      expect(new Set(given).size).toBe(given.length);
      // The one that moved to the front meanwhile is the only one that was not given.
      expect(given).toEqual(ids.slice(0, 8));
    });

    it("has a place for each of those that were active in one moment", async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, () => aSession(store)));
      await Promise.all(ids.map((id) => aTurn(store, id, "t1")));
      const given = (await pages(3)).flat();
      expect(given.toSorted()).toEqual(ids.toSorted());
      expect(given).toHaveLength(20);
    });

    it("goes on behind a cursor whose session is gone, or never was there", async () => {
      const ids = await sessions(4);
      const first = await store.list({ limit: 2 });
      await store.delete(ids[1] as string);
      const next = await store.list({ limit: 2, after: first.next });
      expect(idsOf(next)).toEqual(ids.slice(2));
      const { lastActiveAt = 0 } = first.sessions[0] ?? {};
      const foreign = `${lastActiveAt + 1}-not-here`;
      expect(idsOf(await store.list({ limit: 9, after: foreign }))).toEqual([
        ids[0],
        ...ids.slice(2),
      ]);
      expect(idsOf(await store.list({ limit: 9, after: "0-a" }))).toEqual([]);
    });

    it.each(["", "x", "-", "12", "12-", "-a", "1e3-a", "1-a b", `1-${"a".repeat(257)}`, "1-é"])(
      "refuses %j, which is no cursor",
      async (after) => {
        await expect(store.list({ limit: 5, after })).rejects.toThrow(InvalidCursorError);
      },
    );

    it("is of those that a filter names", async () => {
      const [other] = await sessions(1, { owner: "b", holder: "b" });
      const [ofOwner] = await sessions(1);
      const failed = await aSession(store);
      const error = { code: "PROVIDER_ERROR", message: "no" };
      await aRecordedTurn(store, failed, "t1", { error, finishReason: undefined });
      const running = await aSession(store);
      await begin(store, running, "t1");
      const { sessionId: waiting } = await aWaitingSession(store, "c1");
      const only = async (query: Partial<SessionQuery>) => (await pages(1, query)).flat();
      expect(await only({ owner: "b" })).toEqual([other]);
      expect(await only({ owner: OWNER, state: "idle" })).toEqual([ofOwner]);
      expect(await only({ state: "failed" })).toEqual([failed]);
      expect(await only({ state: "running" })).toEqual([running]);
      expect(await only({ state: "waiting" })).toEqual([waiting]);
      expect(await only({ version: "one" })).toEqual([waiting]);
      expect(await only({ version: "another" })).toEqual([]);
      await store.answerCall(waiting, OWNER, approve("c1", "t2"));
      expect(await only({ state: "waiting" })).toEqual([]);
      await aRecordedTurn(store, failed, "t2");
      expect(await only({ state: "failed" })).toEqual([]);
    });

    it("has no session whose time is over, and asks nobody to live longer", async () => {
      const [young = "", old = ""] = await sessions(2);
      await subject.passTime(old, TTL_MS - 5_000);
      await store.find(young, OWNER);
      await store.list({ limit: 5 });
      await store.timeline(old);
      await subject.passTime(old, 5_001);
      expect(idsOf(await store.list({ limit: 5 }))).toEqual([young]);
      expect(await store.timeline(old)).toBeUndefined();
    });

    it.each(HOSTILE_TITLES)("gives a title that harms no list: %s", async (_, said, title) => {
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1", { userMessage: said });
      await aRecordedTurn(store, sessionId, "t2", { userMessage: "another" });
      expect((await only(store)).title).toBe(title);
    });

    it("gives the title of the first message that was not withdrawn", async () => {
      const sessionId = await aSession(store);
      await store.beginTurn(sessionId, OWNER, { turnId: "t1", userMessage: "first" });
      await store.withdrawTurn(sessionId, { turnId: "t1" });
      expect((await only(store)).title).toBe("");
      await aRecordedTurn(store, sessionId, "t2", { userMessage: "second" });
      expect((await only(store)).title).toBe("second");
    });

    it("can be merged out of the pages of several stores", async () => {
      const others = await open({ ttlMs: TTL_MS });
      try {
        const stores = [store, others.store];
        const ids: string[] = [];
        for (let at = 0; at < 9; at++) {
          const one = stores[at % 3 === 0 ? 1 : 0] as SessionStore;
          const sessionId = await aSession(one);
          await endWell(one, await begin(one, sessionId, "t1"), 1);
          ids.unshift(sessionId);
          await Promise.all([subject.pause(), others.pause()]);
        }
        const given: string[] = [];
        let after: string | undefined;
        do {
          const parts = await Promise.all(stores.map((each) => each.list({ limit: 2, after })));
          const merged = mergeSessionPages(parts.map(viewsOf), 2);
          expect(merged.items.length).toBeLessThanOrEqual(2);
          given.push(...merged.items.map(({ id }) => id));
          after = merged.next;
        } while (after !== undefined);
        expect(given).toEqual(ids);
      } finally {
        await others.dispose();
      }
    });

    it("is stopped by its signal, or not begun", async () => {
      await sessions(1);
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(store.list({ limit: 5, signal })).rejects.toThrow("enough");
    });
  });
}

function idsOf({ sessions }: SessionPage): string[] {
  return sessions.map(({ id }) => id);
}

async function only(store: SessionStore): Promise<ListedSession> {
  const { sessions } = await store.list({ limit: 5 });
  if (sessions.length !== 1) throw new Error(`there are ${sessions.length} sessions`);
  return sessions[0] as ListedSession;
}

/** As an agent shows a page. */
function viewsOf({ sessions, next }: SessionPage): { items: SessionView[]; next?: string } {
  const items = sessions.map((session) => ({
    ...session,
    createdAt: new Date(session.createdAt).toISOString(),
    lastActiveAt: new Date(session.lastActiveAt).toISOString(),
    expiresAt: new Date(session.expiresAt).toISOString(),
  })) as SessionView[];
  return { items, ...(next !== undefined && { next }) };
}
