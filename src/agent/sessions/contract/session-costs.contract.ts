/** What a store tells of the cost of a session. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newSessionId } from "../session-id.ts";
import { randomBytes } from "node:crypto";
import { aRecordedTurn, aSession, CLIENT } from "./turns.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";

function usage(amount: number, currency = "USD") {
  return { input_tokens: 3, output_tokens: 4, cost: { amount, currency } };
}

export function describeSessionCosts(open: OpenSubject): void {
  describe("the cost of a session", () => {
    let subject: ContractSubject;
    beforeEach(async () => void (subject = await open({ ttlMs: TTL_MS })));
    afterEach(() => subject.dispose());

    async function costOf(sessionId: string) {
      const timeline = await subject.other.timeline(sessionId);
      return timeline?.session.cost;
    }

    it("is none where no turn had one", async () => {
      const sessionId = await aSession(subject.store);
      await aRecordedTurn(subject.store, sessionId, "t1");
      expect(await costOf(sessionId)).toBeUndefined();
    });

    it("is that of all its turns, and in lists, too", async () => {
      const { store, other } = subject;
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1", { usage: usage(0.1) });
      await aRecordedTurn(other, sessionId, "t2");
      await aRecordedTurn(other, sessionId, "t3", { usage: usage(0.2) });
      expect(await costOf(sessionId)).toEqual({ amount: 0.3, currency: "USD" });
      const { sessions } = await store.list({ limit: 200 });
      expect(sessions.find(({ id }) => id === sessionId)?.cost).toEqual({
        amount: 0.3,
        currency: "USD",
      });
      const turns = (await other.timeline(sessionId))?.turns;
      expect(turns?.map((turn) => turn.usage?.cost?.amount)).toEqual([0.1, undefined, 0.2]);
    });

    it("takes note of less than what a token costs", async () => {
      const sessionId = await aSession(subject.store);
      await aRecordedTurn(subject.store, sessionId, "t1", { usage: usage(0.000_000_075) });
      expect(await costOf(sessionId)).toEqual({ amount: 0.000_000_075, currency: "USD" });
    });

    it("begins anew when the currency changes", async () => {
      const sessionId = await aSession(subject.store);
      await aRecordedTurn(subject.store, sessionId, "t1", { usage: usage(5) });
      await aRecordedTurn(subject.store, sessionId, "t2", { usage: usage(2, "EUR") });
      expect(await costOf(sessionId)).toEqual({ amount: 2, currency: "EUR" });
    });

    it("goes with a fork, as far as its turns do", async () => {
      const { store } = subject;
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1", { usage: usage(0.5) });
      await aRecordedTurn(store, sessionId, "t2", { usage: usage(0.25) });
      const [whole, part] = [newSessionId(randomBytes), newSessionId(randomBytes)];
      await store.fork(sessionId, { newSessionId: whole, client: CLIENT });
      await store.fork(sessionId, { newSessionId: part, client: CLIENT, afterTurn: "t1" });
      expect(await costOf(whole)).toEqual({ amount: 0.75, currency: "USD" });
      expect(await costOf(part)).toEqual({ amount: 0.5, currency: "USD" });
    });
  });
}
