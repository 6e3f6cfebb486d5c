/** What a store counts for budgets of tokens. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import { aRecordedTurn, aSession, begin, OWNER } from "./turns.ts";

const usage = { input_tokens: 30, output_tokens: 12 };

export function describeTokenBudgets(open: OpenSubject): void {
  describe("the budget of a session", () => {
    let subject: ContractSubject;
    beforeEach(async () => void (subject = await open({ ttlMs: TTL_MS, leaseMs: 60_000 })));
    afterEach(() => subject.dispose());

    function ask(sessionId: string, turnId: string, maxSessionTokens: number, messageId?: string) {
      const turn = { turnId, userMessage: "hello", messageId, maxSessionTokens };
      return subject.other.beginTurn(sessionId, OWNER, turn);
    }

    it("lets a turn begin while less was used, and says how much", async () => {
      const sessionId = await aSession(subject.store);
      await aRecordedTurn(subject.store, sessionId, "t1", { usage });
      expect(await ask(sessionId, "t2", 43)).toMatchObject({
        status: "started",
        sessionTokens: 42,
      });
    });

    it("lets no turn begin once as much was used, and changes nothing then", async () => {
      const { store } = subject;
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1", { usage });
      const before = await store.history(sessionId);
      expect(await ask(sessionId, "t2", 42, "m-2")).toEqual({
        status: "budget-spent",
        sessionTokens: 42,
      });
      expect(await store.history(sessionId)).toEqual(before);
      expect(await ask(sessionId, "t3", 100, "m-2")).toMatchObject({ status: "started" });
    });

    it("of nothing lets no turn begin, in a new session either", async () => {
      const sessionId = await aSession(subject.store);
      expect(await ask(sessionId, "t1", 0)).toEqual({ status: "budget-spent", sessionTokens: 0 });
    });

    it("tells of the turn of a message that was taken before, and of one that runs", async () => {
      const { store } = subject;
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1", "m-1");
      expect(await ask(sessionId, "t2", 0, "m-1")).toMatchObject({
        status: "repeated",
        turnId: "t1",
      });
      expect(await ask(sessionId, "t2", 0)).toMatchObject({ status: "in-progress", turnId: "t1" });
      await store.endTurn(lease, { frames: [], messages: [] });
      expect(await ask(sessionId, "t2", 0, "m-1")).toMatchObject({
        status: "repeated",
        turnId: "t1",
      });
    });

    it("begins a turn again whose begin was not answered", async () => {
      const sessionId = await aSession(subject.store);
      await aRecordedTurn(subject.store, sessionId, "t1", { usage });
      const begun = await ask(sessionId, "t2", 43);
      expect(await ask(sessionId, "t2", 43)).toEqual(begun);
    });

    it("is told to a replica that takes a turn over", async () => {
      await subject.dispose();
      subject = await open({ ttlMs: TTL_MS, leaseMs: 1_000 });
      const { store, other } = subject;
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1", { usage });
      await begin(store, sessionId, "t2");
      await subject.passTime(sessionId, 1_001);
      expect(await other.takeOver(sessionId, OWNER, "claim")).toMatchObject({
        status: "taken",
        turn: { sessionTokens: 42 },
      });
    });
  });

  describe("the tokens of a day", () => {
    let subject: ContractSubject;
    beforeEach(async () => void (subject = await open({ ttlMs: TTL_MS })));
    afterEach(() => subject.dispose());

    it("are those of all replicas", async () => {
      const { store, other } = subject;
      expect(await store.countTokens("2026-11-29", 0)).toBe(0);
      expect(await store.countTokens("2026-11-29", 5)).toBe(5);
      expect(await other.countTokens("2026-11-29", 7)).toBe(12);
      expect(await store.countTokens("2026-11-29", 0)).toBe(12);
      expect(await store.countTokens("2026-11-29", 1)).toBe(13);
      expect(await other.countTokens("2026-11-29", 0)).toBe(13);
    });

    it("are others on another day", async () => {
      const { store, other } = subject;
      await store.countTokens("2026-11-29", 5);
      expect(await other.countTokens("2026-11-30", 2)).toBe(2);
      expect(await store.countTokens("2026-11-30", 0)).toBe(2);
      expect(await store.countTokens("2026-11-29", 0)).toBe(5);
    });

    it("are exact where they are many", async () => {
      const many = 2_000_000_000;
      await subject.store.countTokens("2026-11-29", many);
      expect(await subject.other.countTokens("2026-11-29", 1)).toBe(many + 1);
    });
  });
}
