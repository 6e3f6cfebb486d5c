/** What every session store must do when a session is made out of another one. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SessionClient } from "../session-client.ts";
import { newSessionId } from "../session-id.ts";
import { SESSION_OVERHEAD_BYTES, SessionExistsError, type SessionStore } from "../session-store.ts";
import { approve, aWaitingSession } from "./session-approvals.contract.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import { aRecord, aRecordedTurn, aSession, aTurn, begin, done, endWell, OWNER } from "./turns.ts";

const FORKER: SessionClient = { owner: "a forker", holder: "a forker" };

export function describeSessionForks(open: OpenSubject): void {
  describe("a fork of a session", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    async function forkOf(sessionId: string, afterTurn?: string): Promise<string> {
      const newId = newSessionId(randomBytes);
      const fork = { newSessionId: newId, client: FORKER, afterTurn };
      expect(await other.fork(sessionId, fork)).toEqual({ status: "forked" });
      return newId;
    }

    it("has what was said up to the end of each turn, and goes on from there", async () => {
      const sessionId = await aSession(store);
      const call = { id: "c", name: "n", startedAt: 1, outcome: "ok" } as const;
      for (const turnId of ["t1", "t2", "t3"]) {
        await aRecordedTurn(store, sessionId, turnId, {
          calls: [call],
          packVersion: `version of ${turnId}`,
          workflowState: `state of ${turnId}`,
        });
      }
      const history = await store.history(sessionId);
      for (const [at, turnId] of ["t1", "t2", "t3"].entries()) {
        const forked = await forkOf(sessionId, turnId);
        expect(await store.history(forked)).toEqual(history.slice(0, 2 * (at + 1)));
        const timeline = await store.timeline(forked);
        expect(timeline).toMatchObject({
          session: {
            owner: FORKER.owner,
            title: "question of t1",
            turns: at + 1,
            toolCalls: at + 1,
            inputTokens: 3 * (at + 1),
            outputTokens: 4 * (at + 1),
            state: "idle",
            packVersion: `version of ${turnId}`,
            workflowState: `state of ${turnId}`,
          },
          lastSeq: 0,
          keptAfter: 0,
        });
        expect(timeline?.turns).toHaveLength(at + 1);
        expect(await store.find(forked, FORKER.owner)).toEqual({ lastSeq: 0 });
        expect(await store.find(forked, OWNER)).toBeUndefined();
        await aRecordedTurn(store, forked, "t9", { owner: FORKER.owner });
        expect((await store.timeline(forked))?.session.turns).toBe(at + 2);
      }
      expect(await store.history(sessionId)).toEqual(history);
      const whole = await forkOf(sessionId);
      expect(await store.history(whole)).toEqual(history);
      await store.delete(sessionId);
      expect(await store.history(whole)).toEqual(history);
    });

    it("keeps the version of the pack, unless its turns had another one", async () => {
      const sessionId = await aSession(store);
      const versions = { fresh: "v7", kept: [] };
      const turn = { turnId: "t1", userMessage: "?", promptVersions: versions };
      const begun = await store.beginTurn(sessionId, OWNER, turn);
      if (begun.status !== "started") throw new Error(begun.status);
      await endWell(store, begun.lease, 1);
      const forked = await forkOf(sessionId);
      const next = {
        turnId: "t2",
        userMessage: "?",
        promptVersions: { fresh: "v8", kept: ["v7"] },
      };
      expect(await store.beginTurn(forked, FORKER.owner, next)).toMatchObject({
        status: "started",
        promptVersion: "v7",
      });
    });

    it("is not made of a session or a turn that is not there", async () => {
      const fork = { newSessionId: newSessionId(randomBytes), client: FORKER };
      for (const id of ["unknown", "", "a}b"]) {
        expect(await store.fork(id, fork)).toEqual({ status: "unknown-session" });
      }
      const sessionId = await aSession(store);
      expect(await store.fork(sessionId, { ...fork, afterTurn: "t1" })).toEqual({
        status: "unknown-turn",
      });
      await aTurn(store, sessionId, "t1");
      for (const afterTurn of ["t2", "", "t"]) {
        expect(await store.fork(sessionId, { ...fork, afterTurn })).toEqual({
          status: "unknown-turn",
        });
      }
      expect(await store.find(fork.newSessionId, FORKER.owner)).toBeUndefined();
    });

    it("may be of a session in which nothing was said yet", async () => {
      const forked = await forkOf(await aSession(store));
      expect(await store.history(forked)).toEqual([]);
      expect((await store.timeline(forked))?.session.title).toBe("");
      await aRecordedTurn(store, forked, "t1", { owner: FORKER.owner });
      expect((await store.timeline(forked))?.session.title).toBe("question of t1");
    });

    it("does not have the turn that runs", async () => {
      const sessionId = await aSession(store);
      await aTurn(store, sessionId, "t1");
      const lease = await begin(store, sessionId, "t2");
      const fork = { newSessionId: newSessionId(randomBytes), client: FORKER };
      for (const afterTurn of ["t2", undefined]) {
        expect(await other.fork(sessionId, { ...fork, afterTurn })).toEqual({
          status: "turn-running",
          turnId: "t2",
        });
      }
      expect(await store.history(await forkOf(sessionId, "t1"))).toHaveLength(2);
      await endWell(store, lease, 1);
      expect(await store.history(await forkOf(sessionId, "t2"))).toHaveLength(4);
    });

    it("waits for nobody's approval, and says that the calls were not made", async () => {
      const { sessionId } = await aWaitingSession(store, "c1", "c2");
      const history = await store.history(sessionId);
      for (const afterTurn of ["t1", undefined]) {
        const forked = await forkOf(sessionId, afterTurn);
        expect(await store.history(forked)).toEqual(history);
        expect(await store.find(forked, FORKER.owner)).toEqual({ lastSeq: 0 });
        expect(await store.answerCall(forked, FORKER.owner, approve("c1", "t5"))).toEqual({
          status: "not-open",
        });
        expect((await store.timeline(forked))?.session.state).toBe("idle");
      }
      expect((await store.find(sessionId, OWNER))?.waiting?.requests).toHaveLength(2);
    });

    it("has a turn together with the one that went on for it", async () => {
      const { sessionId } = await aWaitingSession(store, "c1");
      const answered = await store.answerCall(sessionId, OWNER, approve("c1", "t2"));
      if (answered.status !== "started") throw new Error(answered.status);
      const { lease } = answered.turn;
      const fork = { newSessionId: newSessionId(randomBytes), client: FORKER };
      for (const afterTurn of ["t1", "t2", undefined]) {
        expect(await store.fork(sessionId, { ...fork, afterTurn })).toEqual({
          status: "turn-running",
          turnId: "t2",
        });
      }
      await store.endTurn(lease, {
        frames: [done(lease, lease.seqBefore + 1)],
        messages: [{ role: "assistant", turnId: "t1", content: "Paid." }],
        record: aRecord("t2", { firstTurnId: "t1" }),
      });
      const history = await store.history(sessionId);
      await aRecordedTurn(store, sessionId, "t3");
      for (const afterTurn of ["t1", "t2"]) {
        const forked = await forkOf(sessionId, afterTurn);
        expect(await store.history(forked)).toEqual(history);
        expect((await store.timeline(forked))?.turns.map(({ turnId }) => turnId)).toEqual(["t2"]);
      }
    });

    it("is made once, also when that is asked again, and not over another session", async () => {
      const sessionId = await aSession(store);
      await aTurn(store, sessionId, "t1");
      const newId = await forkOf(sessionId);
      const again = { newSessionId: newId, client: FORKER };
      expect(await store.fork(sessionId, again)).toEqual({ status: "forked" });
      expect(await store.history(newId)).toHaveLength(2);
      const taken = await aSession(store, FORKER);
      await expect(store.fork(sessionId, { ...again, newSessionId: taken })).rejects.toThrow(
        SessionExistsError,
      );
      const theirs = { ...again, client: { owner: OWNER, holder: OWNER } };
      await expect(store.fork(sessionId, theirs)).rejects.toThrow(SessionExistsError);
      await aRecordedTurn(store, newId, "t2", { owner: FORKER.owner });
      await expect(store.fork(sessionId, again)).rejects.toThrow(SessionExistsError);
    });

    it("counts to whom it is made for", async () => {
      const limit = 256 * 1024;
      store.setMaxBytesPerHolder(limit);
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1", { userMessage: "x".repeat(40 * 1024) });
      const made: string[] = [];
      for (let at = 0; at < 200; at++) {
        const id = newSessionId(randomBytes);
        await store.fork(sessionId, { newSessionId: id, client: FORKER });
        made.push(id);
      }
      const size = 40 * 1024 + SESSION_OVERHEAD_BYTES;
      await expect
        .poll(async () => {
          const left = await Promise.all(made.map((id) => store.timeline(id)));
          return left.filter((each) => each !== undefined).length * size;
        })
        .toBeLessThan(limit + 40 * size);
      expect(await store.history(sessionId)).toHaveLength(2);
    });
  });
}
