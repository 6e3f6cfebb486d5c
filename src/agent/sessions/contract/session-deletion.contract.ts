/** What every session store must do when a session is deleted. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SessionGoneError, TURN_LEASE_MS, type SessionStore } from "../session-store.ts";
import { approve, aWaitingSession } from "./session-approvals.contract.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import {
  all,
  aRecordedTurn,
  aSession,
  begin,
  chunk,
  endWell,
  follow,
  never,
  OWNER,
} from "./turns.ts";

export function describeSessionDeletion(open: OpenSubject): void {
  describe("a session that is deleted", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    it("is as if it had never been", async () => {
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1");
      expect(await other.delete(sessionId)).toBe(true);
      expect(await store.find(sessionId, OWNER)).toBeUndefined();
      expect(await store.history(sessionId)).toEqual([]);
      expect(await store.timeline(sessionId)).toBeUndefined();
      expect(await all(store.frames(sessionId, 0, never))).toEqual([]);
      expect((await store.list({ limit: 5 })).sessions).toEqual([]);
      const turn = { turnId: "t2", userMessage: "?" };
      expect(await store.beginTurn(sessionId, OWNER, turn)).toEqual({ status: "unknown-session" });
      expect(await store.delete(sessionId)).toBe(false);
    });

    it("is none that is not there", async () => {
      for (const id of ["unknown", "", "a}b", "x".repeat(5_000), "é"]) {
        expect(await store.delete(id)).toBe(false);
      }
    });

    it("ends the turn that runs in it, and those who follow it", async () => {
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1");
      await store.appendFrames(lease, [chunk(lease, 1, "a")]);
      const [here, there] = [
        follow(store.frames(sessionId, 0, never)),
        follow(other.frames(sessionId, 0, never)),
      ];
      await Promise.all([here.reaches(1), there.reaches(1)]);
      const told = Promise.withResolvers<void>();
      const stop = store.onCancel(lease, told.resolve);
      expect(await other.delete(sessionId)).toBe(true);
      await told.promise;
      stop();
      await Promise.all([here.ended, there.ended]);
      const writes = [
        () => store.appendFrames(lease, [chunk(lease, 2, "b")]),
        () => store.renewTurn(lease),
        () => endWell(store, lease, 2),
      ];
      for (const write of writes) await expect(write()).rejects.toThrow(SessionGoneError);
      expect(await store.find(sessionId, OWNER)).toBeUndefined();
      expect(await store.takeOver(sessionId, OWNER, "a claim")).toEqual({ status: "none" });
    });

    it("leaves no turn to be taken over, and no call to be answered", async () => {
      const sessionId = await aSession(store);
      await begin(store, sessionId, "t1");
      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
      expect(await store.delete(sessionId)).toBe(true);
      expect(await other.takeOver(sessionId, OWNER, "a claim")).toEqual({ status: "none" });
      const { sessionId: waiting } = await aWaitingSession(store, "c1");
      expect(await store.delete(waiting)).toBe(true);
      expect(await other.answerCall(waiting, OWNER, approve("c1", "t2"))).toEqual({
        status: "unknown-session",
      });
    });

    it("leaves the other sessions alone", async () => {
      const [one, two] = [await aSession(store), await aSession(store)];
      await aRecordedTurn(store, two, "t1");
      await store.delete(one);
      expect((await store.list({ limit: 5 })).sessions.map(({ id }) => id)).toEqual([two]);
      expect(await store.history(two)).toHaveLength(2);
    });
  });
}
