/** What every session store must do for those whose session it is not: nothing, as if there were no such session. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newSessionId } from "../session-id.ts";
import { TURN_LEASE_MS, type SessionStore } from "../session-store.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import { aSession, aTurn, begin, CLIENT, OWNER } from "./turns.ts";

const STRANGERS = [
  "a stranger",
  "",
  `${OWNER} `,
  OWNER.toUpperCase(),
  OWNER.slice(0, -1),
  "nobody",
];

/** All that a client can ask for with no more than an id. */
function asksOf(store: SessionStore, sessionId: string, owner: string): Promise<unknown>[] {
  const turn = { turnId: "theirs", userMessage: "?", messageId: "message of t1" };
  return [
    store.find(sessionId, owner),
    store.beginTurn(sessionId, owner, turn),
    store.beginTurn(sessionId, owner, { ...turn, turnId: "t1", messageId: undefined }),
    store.cancelTurn(sessionId, owner),
    store.takeOver(sessionId, owner, "their claim"),
    store.takeOver(sessionId, owner, "t1"),
  ];
}

export function describeSessionOwners(open: OpenSubject): void {
  describe("the session of another owner", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    it.each(STRANGERS)("is unknown to %j, at rest, in a turn, and when it waits", async (owner) => {
      const sessionId = await aSession(store);
      const unknown = await Promise.all(asksOf(store, newSessionId(randomBytes), owner));
      const asks = (by: SessionStore) => Promise.all(asksOf(by, sessionId, owner));

      expect(await asks(store)).toEqual(unknown);
      await aTurn(store, sessionId, "t0");
      expect(await asks(other)).toEqual(unknown);
      await begin(store, sessionId, "t1", "message of t1");
      expect(await asks(store)).toEqual(unknown);
      expect(await asks(other)).toEqual(unknown);
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 1, runningTurnId: "t1" });
      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
      expect(await asks(other)).toEqual(unknown);

      expect(await store.takeOver(sessionId, OWNER, "a claim")).toMatchObject({
        status: "taken",
        turn: { isCancelled: false, userMessage: "question of t1" },
      });
      expect(await store.history(sessionId)).toHaveLength(3);
    });

    it("is not kept alive by those who know its id", async () => {
      const sessionId = await aSession(store);
      await subject.passTime(sessionId, TTL_MS - 5_000);
      await Promise.all(asksOf(other, sessionId, "a stranger"));
      await store.create(sessionId, { ...CLIENT, owner: "a stranger" }).catch(() => {});
      await subject.passTime(sessionId, 5_001);
      expect(await store.find(sessionId, OWNER)).toBeUndefined();
    });
  });
}
