/** What every session store must do with the frames of turns: keep them, and let them be followed. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TurnFrame } from "../../../protocol/frames.ts";
import {
  all,
  aSession,
  aTurn,
  begin,
  chunk,
  done,
  endWell,
  failure,
  follow,
  never,
  OWNER,
  seqs,
  toolCall,
  toolResult,
  upTo,
} from "./turns.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import {
  FRAME_RETENTION_MS,
  FrameGapError,
  FramesForgottenError,
  MAX_FRAME_BYTES_PER_TURN,
  TURN_LEASE_MS,
  type SessionStore,
} from "../session-store.ts";

export function describeSessionFrames(open: OpenSubject): void {
  describe("frames of turns", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    async function reopen(options: { ttlMs: number; leaseMs?: number }): Promise<void> {
      await subject.dispose();
      subject = await open(options);
      ({ store, other } = subject);
    }

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    describe("that are kept", () => {
      it("are given as they were written, after any of them", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        const frames: TurnFrame[] = [
          chunk(lease, 1, "Grüße 👋"),
          toolCall(lease, 2),
          toolResult(lease, 3),
          done(lease, 4),
        ];
        await store.appendFrames(lease, frames.slice(0, 2));
        await store.endTurn(lease, { frames: frames.slice(2), messages: [] });
        const next = await begin(store, sessionId, "t2");
        const failed = failure(next, 5);
        await store.endTurn(next, { frames: [failed], messages: [] });
        expect(await all(other.frames(sessionId, 0, never))).toEqual([...frames, failed]);
        expect(await all(other.frames(sessionId, 2, never))).toEqual([...frames.slice(2), failed]);
        expect(await all(other.frames(sessionId, 4, never))).toEqual([failed]);
        expect(await all(other.frames(sessionId, 5, never))).toEqual([]);
        expect(await all(other.frames(sessionId, 99, never))).toEqual([]);
      });

      it("are given completely when they are many", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1", 300);
        await aTurn(store, sessionId, "t2", 300);
        expect(await seqs(other.frames(sessionId, 7, never))).toEqual(upTo(602).slice(7));
      });

      it("are written once, also when they are handed over again", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        const frames = ["a", "b", "c", "d"].map((text, at) => chunk(lease, at + 1, text));
        await store.appendFrames(lease, frames.slice(0, 2));
        await store.appendFrames(lease, frames.slice(0, 2));
        await store.appendFrames(lease, frames.slice(1, 4));
        await store.appendFrames(lease, []);
        await store.endTurn(lease, { frames: [...frames.slice(3), done(lease, 5)], messages: [] });
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual(upTo(5));
        expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 5 });
      });

      it("are refused when one is missing", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const gap = store.appendFrames(lease, [chunk(lease, 3, "c")]);
        await expect(gap).rejects.toThrow(FrameGapError);
        await expect(gap).rejects.toMatchObject({ lastSeq: 1 });
        await expect(endWell(store, lease, 3)).rejects.toThrow(FrameGapError);
        const apart = store.appendFrames(lease, [chunk(lease, 2, "b"), chunk(lease, 4, "d")]);
        await expect(apart).rejects.toThrow(RangeError);
        expect((await store.find(sessionId, OWNER))?.runningTurnId).toBe("t1");
        await store.appendFrames(lease, [chunk(lease, 2, "b")]);
        await endWell(store, lease, 3);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual([1, 2, 3]);
      });

      it("are forgotten some time after the end of their turn", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1", 3);
        await subject.passTime(sessionId, FRAME_RETENTION_MS / 2);
        await aTurn(store, sessionId, "t2", 3);
        await subject.passTime(sessionId, FRAME_RETENTION_MS / 2 - 10_000);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual(upTo(8));
        await subject.passTime(sessionId, 10_001);
        const early = all(store.frames(sessionId, 0, never));
        await expect(early).rejects.toThrow(FramesForgottenError);
        await expect(early).rejects.toMatchObject({ keptAfter: 4 });
        expect(await seqs(store.frames(sessionId, 4, never))).toEqual([5, 6, 7, 8]);
        await subject.passTime(sessionId, FRAME_RETENTION_MS / 2);
        await expect(all(store.frames(sessionId, 7, never))).rejects.toMatchObject({
          keptAfter: 8,
        });
        expect(await all(store.frames(sessionId, 8, never))).toEqual([]);
        expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 8 });
        expect((await begin(store, sessionId, "t3")).seqBefore).toBe(8);
        expect(await store.history(sessionId)).toHaveLength(5);
      });

      it("of a turn that runs are kept however long it takes", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        await subject.passTime(sessionId, FRAME_RETENTION_MS + 1);
        await endWell(store, lease, 2);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual([1, 2]);
      });

      it("of a turn are kept up to a limit, past which the oldest go, and are not left out in silence", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1", 2);
        const lease = await begin(store, sessionId, "t2");
        const text = "x".repeat(64 * 1024);
        await store.appendFrames(lease, [toolCall(lease, 4), toolResult(lease, 5)]);
        for (let seq = 6; seq <= 85; seq++) {
          await store.appendFrames(lease, [chunk(lease, seq, text)]);
        }
        await endWell(store, lease, 83);
        const given: number[] = [];
        const reading = (async () => {
          for await (const batch of store.frames(sessionId, 0, never)) {
            given.push(...batch.map(({ seq }) => seq));
          }
        })();
        await expect(reading).rejects.toThrow(FramesForgottenError);
        expect(given).toEqual([1, 2, 3]);
        const { keptAfter } = (await reading.catch(
          (error: unknown) => error,
        )) as FramesForgottenError;
        const kept = await seqs(store.frames(sessionId, keptAfter, never));
        expect(kept).toEqual(upTo(86).slice(keptAfter));
        const chunks = Math.floor((MAX_FRAME_BYTES_PER_TURN - 1_500) / text.length);
        expect(kept).toHaveLength(chunks + 1);
      }, 20_000);

      it("keep their last one, however large", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const content = "x".repeat(MAX_FRAME_BYTES_PER_TURN + 1);
        await store.endTurn(lease, { frames: [{ ...done(lease, 2), content }], messages: [] });
        const [last] = await all(store.frames(sessionId, 1, never));
        expect(last).toMatchObject({ seq: 2, type: "done" });
      });
    });

    describe("that are followed", () => {
      it("gives what was written, then what comes, and ends with the turn", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1");
        const lease = await begin(store, sessionId, "t2");
        await store.appendFrames(lease, [chunk(lease, 2, "a")]);
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(2);
        for (let seq = 3; seq <= 10; seq++) {
          await store.appendFrames(lease, [chunk(lease, seq, "b")]);
          await followed.reaches(seq);
        }
        await endWell(store, lease, 10);
        await followed.ended;
        expect(followed.seqs).toEqual(upTo(11));
      });

      it("begins before the first frame, and behind the last one that is known", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1");
        const lease = await begin(store, sessionId, "t2");
        const followed = follow(other.frames(sessionId, 1, never));
        const ahead = follow(other.frames(sessionId, 3, never));
        await store.appendFrames(lease, [chunk(lease, 2, "a"), chunk(lease, 3, "b")]);
        await store.appendFrames(lease, [chunk(lease, 4, "c")]);
        await endWell(store, lease, 4);
        await Promise.all([followed.ended, ahead.ended]);
        expect(followed.seqs).toEqual([2, 3, 4, 5]);
        expect(ahead.seqs).toEqual([4, 5]);
      });

      it("ends with a turn that writes nothing", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1");
        const lease = await begin(store, sessionId, "t2");
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(1);
        await store.endTurn(lease, { frames: [], messages: [] });
        await followed.ended;
        expect(followed.seqs).toEqual([1]);
      });

      it("serves many at once, each from its own place", async () => {
        const sessionIds = await Promise.all(Array.from({ length: 10 }, () => aSession(store)));
        const leases = await Promise.all(sessionIds.map((id) => begin(store, id, `turn of ${id}`)));
        const followers = leases.flatMap(({ sessionId }) =>
          [0, 0, 5].map((after) => ({ after, ...follow(other.frames(sessionId, after, never)) })),
        );
        for (let seq = 1; seq <= 20; seq++) {
          await Promise.all(
            leases.map((lease) => store.appendFrames(lease, [chunk(lease, seq, "x")])),
          );
        }
        await Promise.all(leases.map((lease) => endWell(store, lease, 21)));
        for (const { after, ended, seqs: given } of followers) {
          await ended;
          expect(given).toEqual(upTo(21).slice(after));
        }
      });

      it("gives each its frames although another one takes none", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        const slow = other.frames(sessionId, 0, never)[Symbol.asyncIterator]();
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const first = await slow.next();
        const quick = follow(other.frames(sessionId, 0, never));
        const text = "x".repeat(100 * 1024);
        for (let seq = 2; seq <= 12; seq++) {
          await store.appendFrames(lease, [chunk(lease, seq, text)]);
          await quick.reaches(seq);
        }
        await endWell(store, lease, 13);
        await quick.ended;
        const rest = await all({ [Symbol.asyncIterator]: () => slow });
        expect([...(first.value as TurnFrame[]), ...rest].map(({ seq }) => seq)).toEqual(upTo(13));
      });

      it("goes on with the turn that takes the place of one that died", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(1);
        await subject.passTime(sessionId, TURN_LEASE_MS - 1_000);
        await store.renewTurn(lease);
        await store.endTurn(lease, { frames: [], messages: [] });
        const next = await begin(store, sessionId, "t2");
        await store.appendFrames(next, [chunk(next, 2, "b")]);
        await store.endTurn(next, { frames: [done(next, 3)], messages: [] });
        await followed.ended;
        // Between the two turns it may have ended, as none was running.
        expect([[1], [1, 2, 3]]).toContainEqual(followed.seqs);
      });

      it("ends when the lease of the turn has ended", async () => {
        await reopen({ ttlMs: TTL_MS, leaseMs: 300 });
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(1);
        await subject.passTime(sessionId, 301);
        await followed.ended;
        expect(followed.seqs).toEqual([1]);
      });

      it("ends when it is aborted, at once", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const controller = new AbortController();
        const followed = follow(other.frames(sessionId, 0, controller.signal));
        await followed.reaches(1);
        controller.abort();
        await followed.ended;
        expect(await all(other.frames(sessionId, 0, AbortSignal.abort()))).toEqual([]);
      });

      it("ends when its reader leaves", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        for await (const frames of other.frames(sessionId, 0, never)) {
          expect(frames).toHaveLength(1);
          break;
        }
      });
    });
  });
}
