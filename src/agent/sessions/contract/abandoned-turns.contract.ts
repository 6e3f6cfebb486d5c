/** What every session store must do with a turn whose process died: tell of it, and hand it to a replica that goes on with it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  all,
  answer,
  aSession,
  begin,
  chunk,
  done,
  endWell,
  follow,
  never,
  OWNER,
  seqs,
  turnIds,
} from "./turns.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import {
  FrameGapError,
  TURN_LEASE_MS,
  TurnLostError,
  type AbandonedTurn,
  type SessionStore,
} from "../session-store.ts";
import type { JournalEntry } from "../turn-journal.ts";

export function describeAbandonedTurns(open: OpenSubject): void {
  describe("a turn whose lease has ended", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    async function leaseEnds(sessionId: string): Promise<void> {
      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
    }

    async function taken(by: SessionStore, sessionId: string): Promise<AbandonedTurn> {
      const takenOver = await by.takeOver(sessionId, OWNER, "a claim");
      if (takenOver.status !== "taken") throw new Error(takenOver.status);
      return takenOver.turn;
    }

    it("is abandoned: it neither runs nor makes way", async () => {
      const sessionId = await aSession(store);
      await begin(store, sessionId, "t1", "m1");
      await leaseEnds(sessionId);
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 0, abandonedTurnId: "t1" });
      for (const messageId of ["m1", "m2"]) {
        expect(
          await other.beginTurn(sessionId, OWNER, { turnId: "t2", messageId, userMessage: "?" }),
        ).toEqual({ status: "abandoned", turnId: "t1" });
      }
    });

    it("is taken over with what is known of it, and with its frames going on", async () => {
      const sessionId = await aSession(store);
      const first = await begin(store, sessionId, "t0");
      await endWell(store, first, 1);
      const begun = await store.beginTurn(sessionId, OWNER, {
        turnId: "t1",
        messageId: "m1",
        userMessage: "Grüße 👋",
        origin: { handler: "runtime", metadata: { a: [1, null] } },
        promptVersions: { fresh: "0123456789ab", kept: [] },
      });
      if (begun.status !== "started") throw new Error(begun.status);
      const { lease } = begun;
      const entries: JournalEntry[] = [
        { type: "said", text: "half an emoji \uD83D" },
        {
          type: "step",
          message: {
            role: "assistant",
            turnId: "t1",
            content: "a",
            toolCalls: [{ id: "c1", name: "pay", arguments: { amount: 7 } }],
          },
          inputs: { c1: '{"amount": 7}' },
          usage: { input_tokens: 1, output_tokens: 2 },
        },
        { type: "call-started", id: "c1", name: "pay" },
        {
          type: "call-done",
          message: { role: "tool", turnId: "t1", toolCallId: "c1", toolName: "pay", result: null },
        },
      ];
      await store.appendFrames(lease, [chunk(lease, 2, "a")], {
        first: 0,
        entries: entries.slice(0, 2),
      });
      // Handed over again, for its answer was lost.
      await store.appendFrames(lease, [], { first: 1, entries: entries.slice(1, 3) });
      await store.appendFrames(lease, [chunk(lease, 3, "b")], {
        first: 3,
        entries: entries.slice(3),
      });
      await leaseEnds(sessionId);

      const turn = await taken(other, sessionId);
      expect(turn).toEqual({
        lease: { sessionId, turnId: "t1", fence: lease.fence + 1, seqBefore: 1 },
        lastSeq: 3,
        userMessage: "Grüße 👋",
        messageId: "m1",
        origin: { handler: "runtime", promptVersion: "0123456789ab", metadata: { a: [1, null] } },
        journal: [...entries, { type: "taken-over" }],
        isCancelled: false,
      });
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 3, runningTurnId: "t1" });
      expect(
        await store.beginTurn(sessionId, OWNER, {
          turnId: "t2",
          messageId: "m1",
          userMessage: "?",
        }),
      ).toEqual({ status: "repeated", turnId: "t1", seqBefore: 1, running: true });
      await other.appendFrames(turn.lease, [chunk(turn.lease, 4, "c")], {
        first: turn.journal.length,
        entries: [{ type: "said", text: "c" }],
      });
      await endWell(other, turn.lease, 4);
      expect(await turnIds(store.frames(sessionId, 0, never))).toEqual([
        "t0",
        ...Array.from({ length: 4 }, () => "t1"),
      ]);
      expect((await store.history(sessionId)).map(({ turnId }) => turnId)).toEqual([
        "t0",
        "t0",
        "t1",
        "t1",
      ]);
    });

    it("is taken over by one of many who try, and by nobody while it runs", async () => {
      const sessionId = await aSession(store);
      expect(await store.takeOver(sessionId, OWNER, "early")).toEqual({ status: "none" });
      const lease = await begin(store, sessionId, "t1");
      expect(await other.takeOver(sessionId, OWNER, "early")).toEqual({
        status: "running",
        turnId: "t1",
      });
      await leaseEnds(sessionId);
      const attempts = await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          (at % 2 === 0 ? store : other).takeOver(sessionId, OWNER, `claim ${at}`),
        ),
      );
      expect(attempts.filter(({ status }) => status === "taken")).toHaveLength(1);
      expect(attempts.filter(({ status }) => status === "running")).toHaveLength(9);
      const winner = attempts.findIndex(({ status }) => status === "taken");
      // The answer was lost, and the one who took it asks again.
      const again = await store.takeOver(sessionId, OWNER, `claim ${winner}`);
      expect(again).toEqual(attempts[winner]);

      await expect(store.appendFrames(lease, [chunk(lease, 1, "a")])).rejects.toThrow(
        TurnLostError,
      );
      await expect(store.renewTurn(lease)).rejects.toThrow(TurnLostError);
      await expect(endWell(store, lease, 1)).rejects.toThrow(TurnLostError);
      // The turn was taken over: the call that began it, made again, begins nothing.
      expect(await store.beginTurn(sessionId, OWNER, { turnId: "t1", userMessage: "?" })).toEqual({
        status: "in-progress",
        turnId: "t1",
      });
    });

    it("may be taken over more than once, and tells how often", async () => {
      const sessionId = await aSession(store);
      await begin(store, sessionId, "t1");
      for (let times = 1; times <= 3; times++) {
        await leaseEnds(sessionId);
        const takenOver = await store.takeOver(sessionId, OWNER, `claim ${times}`);
        expect(takenOver).toMatchObject({
          status: "taken",
          turn: { journal: Array.from({ length: times }, () => ({ type: "taken-over" })) },
        });
      }
    });

    it("makes way for another message when it was ended", async () => {
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1");
      await store.appendFrames(lease, [chunk(lease, 1, "a")], {
        first: 0,
        entries: [{ type: "said", text: "a" }],
      });
      await leaseEnds(sessionId);
      const turn = await taken(other, sessionId);
      await endWell(other, turn.lease, 2);
      const next = await begin(store, sessionId, "t2");
      expect(next).toMatchObject({ fence: lease.fence + 2, seqBefore: 2 });
      await expect(endWell(store, lease, 3)).rejects.toThrow(TurnLostError);
      await store.endTurn(next, { frames: [done(next, 3)], messages: [answer(next)] });
      // What was noted of a turn is no part of the one after it.
      await begin(store, sessionId, "t3");
      await leaseEnds(sessionId);
      expect((await taken(store, sessionId)).journal).toEqual([{ type: "taken-over" }]);
    });

    it("goes on when nobody has taken it over", async () => {
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1");
      await leaseEnds(sessionId);
      await store.renewTurn(lease);
      expect((await store.find(sessionId, OWNER))?.runningTurnId).toBe("t1");
      await leaseEnds(sessionId);
      await store.appendFrames(lease, [chunk(lease, 1, "a")]);
      expect((await store.find(sessionId, OWNER))?.runningTurnId).toBe("t1");
      await leaseEnds(sessionId);
      await endWell(store, lease, 2);
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 2 });
    });

    it("may be abandoned on purpose, where another process can take it over", async () => {
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1");
      const isHandedOver = await store.handOver(lease);
      expect(isHandedOver).toBe(store !== other);
      if (!isHandedOver) return;
      expect(await store.find(sessionId, OWNER)).toMatchObject({ abandonedTurnId: "t1" });
      const turn = await taken(other, sessionId);
      await endWell(other, turn.lease, 1);
      await expect(store.handOver(lease)).rejects.toThrow(TurnLostError);
    });

    it("is followed, once it is taken over, by those who ask for what is to come", async () => {
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1");
      await store.appendFrames(lease, [chunk(lease, 1, "a")]);
      await leaseEnds(sessionId);
      expect(await seqs(store.frames(sessionId, 0, never))).toEqual([1]);
      const turn = await taken(other, sessionId);
      const followed = follow(store.frames(sessionId, 0, never));
      await followed.reaches(1);
      await other.appendFrames(turn.lease, [chunk(turn.lease, 2, "b")]);
      await followed.reaches(2);
      await endWell(other, turn.lease, 3);
      await followed.ended;
      expect(followed.seqs).toEqual([1, 2, 3]);
      expect(await all(store.frames(sessionId, 3, never))).toEqual([]);
    });

    it("has no journal with holes", async () => {
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1");
      const beyond = { first: 1, entries: [{ type: "said", text: "b" } as const] };
      const gap = store.appendFrames(lease, [chunk(lease, 1, "a")], beyond);
      await expect(gap).rejects.toThrow(FrameGapError);
      await expect(gap).rejects.toMatchObject({ lastSeq: 0, journaled: 0 });
      expect(await store.find(sessionId, OWNER)).toMatchObject({ lastSeq: 0 });
    });
  });

  describe("a turn that is to be cancelled", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    it("is told so, whichever process asks, and whatever it is doing", async () => {
      for (const asker of [store, other]) {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        const told = Promise.withResolvers<void>();
        store.onCancel(lease, told.resolve);
        expect(await asker.cancelTurn(sessionId, OWNER)).toBe("requested");
        await told.promise;
      }
    });

    it("is told so by its own write, where the signal got lost", async () => {
      const sessionId = await aSession(store);
      const lease = await begin(store, sessionId, "t1");
      expect(await other.cancelTurn(sessionId, OWNER)).toBe("requested");
      // Nobody listened; nor does what was signalled for one turn stop another.
      const bystander = await begin(store, await aSession(store), "t2");
      let stopped = 0;
      store.onCancel(bystander, () => (stopped += 1));
      await store.appendFrames(bystander, [chunk(bystander, 1, "a")]);
      const told = Promise.withResolvers<void>();
      const stopListening = store.onCancel(lease, told.resolve);
      if (other !== store) {
        await store.renewTurn(lease);
        await told.promise;
      }
      stopListening();
      expect(stopped).toBe(0);
    });

    it("is told to whoever takes it over", async () => {
      const sessionId = await aSession(store);
      await begin(store, sessionId, "t1");
      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
      expect(await store.cancelTurn(sessionId, OWNER)).toBe("abandoned");
      expect(await other.takeOver(sessionId, OWNER, "a claim")).toMatchObject({
        status: "taken",
        turn: { isCancelled: true },
      });
    });

    it("is not there when none has begun, or it has ended, and the next one runs", async () => {
      const sessionId = await aSession(store);
      expect(await store.cancelTurn(sessionId, OWNER)).toBe("none");
      const lease = await begin(store, sessionId, "t1");
      await store.cancelTurn(sessionId, OWNER);
      await endWell(store, lease, 1);
      expect(await store.cancelTurn(sessionId, OWNER)).toBe("none");
      expect(await store.cancelTurn("unknown", OWNER)).toBe("none");
      await begin(store, sessionId, "t2");
      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
      expect(await store.takeOver(sessionId, OWNER, "a claim")).toMatchObject({
        turn: { isCancelled: false },
      });
    });
  });
}
