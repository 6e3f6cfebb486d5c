/** What every session store must do, whatever it stands on. */
import { randomBytes } from "node:crypto";
import { setTimeout as realTime } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  ChunkFrame,
  DoneFrame,
  ToolCallFrame,
  ToolResultFrame,
  TurnErrorFrame,
  TurnFrame,
} from "../../protocol/frames.ts";
import type { HistoryMessage } from "./history-message.ts";
import { newSessionId } from "./session-id.ts";
import {
  FRAME_RETENTION_MS,
  FrameGapError,
  MAX_FRAME_BYTES_PER_TURN,
  MAX_REMEMBERED_TURNS,
  SessionExistsError,
  StoreUnavailableError,
  TURN_LEASE_MS,
  TurnLostError,
  type SessionStore,
  type TurnLease,
} from "./session-store.ts";

export interface ContractSubject {
  store: SessionStore;
  /** Another store on the same sessions, as another replica has it; the same one where sessions are not shared. */
  other: SessionStore;
  /** Lets time pass for a session in the eyes of its store. */
  passTime(sessionId: string, ms: number): Promise<void>;
  dispose(): Promise<void>;
}

export type OpenSubject = (options: {
  ttlMs: number;
  leaseMs?: number;
}) => Promise<ContractSubject>;

const TTL_MS = 60 * 60_000;

export function describeSessionStore(name: string, open: OpenSubject): void {
  describe(`${name}, as a session store`, () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    async function reopen(options: { ttlMs: number; leaseMs?: number }): Promise<void> {
      await subject.dispose();
      subject = await open(options);
      ({ store, other } = subject);
    }

    async function aSession(subjectName?: string): Promise<string> {
      const sessionId = newSessionId(randomBytes);
      await store.create(sessionId, subjectName === undefined ? {} : { subject: subjectName });
      return sessionId;
    }

    async function begin(
      sessionId: string,
      turnId: string,
      options: { messageId?: string; from?: SessionStore } = {},
    ): Promise<TurnLease> {
      const { messageId, from = store } = options;
      const turn = { turnId, userMessage: `question of ${turnId}` };
      const begun = await from.beginTurn(
        sessionId,
        messageId === undefined ? turn : { ...turn, messageId },
      );
      if (begun.status !== "started") throw new Error(`the turn was not begun: ${begun.status}`);
      return begun.lease;
    }

    /** A whole turn of `chunks` chunk frames and a done frame. */
    async function aTurn(sessionId: string, turnId: string, chunks = 0): Promise<TurnLease> {
      const lease = await begin(sessionId, turnId);
      const frames: TurnFrame[] = [];
      for (let at = 1; at <= chunks; at++) frames.push(chunk(lease, lease.seqBefore + at, "…"));
      await store.appendFrames(lease, frames);
      await endWell(lease, chunks + 1);
      return lease;
    }

    async function endWell(lease: TurnLease, at: number): Promise<void> {
      await store.endTurn(lease, {
        frames: [done(lease, lease.seqBefore + at)],
        messages: [answer(lease)],
      });
    }

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    describe("sessions", () => {
      it("finds a new session with no turn in it", async () => {
        const sessionId = await aSession();
        expect(await store.find(sessionId)).toEqual({ lastSeq: 0 });
        expect(await other.find(sessionId)).toEqual({ lastSeq: 0 });
        expect(await store.history(sessionId)).toEqual([]);
      });

      it("keeps who made it", async () => {
        expect(await store.find(await aSession("käthe@example.com"))).toEqual({
          lastSeq: 0,
          subject: "käthe@example.com",
        });
        expect(await store.find(await aSession(""))).toEqual({ lastSeq: 0, subject: "" });
      });

      it("knows nothing of a session that was not made", async () => {
        for (const sessionId of [newSessionId(randomBytes), "", "a}b", "x".repeat(5_000), "é"]) {
          expect(await store.find(sessionId)).toBeUndefined();
          expect(await store.history(sessionId)).toEqual([]);
          expect(await all(store.frames(sessionId, 0, never))).toEqual([]);
          expect(await store.beginTurn(sessionId, { turnId: "t", userMessage: "?" })).toEqual({
            status: "unknown-session",
          });
        }
      });

      it("does not make one session over another", async () => {
        const sessionId = await aSession("ann");
        await expect(store.create(sessionId, { subject: "ben" })).rejects.toThrow(
          SessionExistsError,
        );
        await expect(store.create(sessionId, {})).rejects.toThrow(SessionExistsError);
        // The same call again, because its answer was lost.
        await store.create(sessionId, { subject: "ann" });
        await aTurn(sessionId, "t1");
        await expect(store.create(sessionId, { subject: "ann" })).rejects.toThrow(
          SessionExistsError,
        );
        expect(await store.history(sessionId)).toHaveLength(2);
      });

      it("counts the sessions that are active", async () => {
        const before = store.activeSessions();
        const sessionId = await aSession();
        await aSession();
        await store.find(sessionId);
        await store.find("unknown");
        expect(store.activeSessions()).toBe(before + 2);
      });

      it("answers a check, and refuses everything once it is closed", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.check();
        await store.close();
        await expect(store.check()).rejects.toThrow(StoreUnavailableError);
        await expect(store.find(sessionId)).rejects.toThrow(StoreUnavailableError);
        await expect(store.create("s", {})).rejects.toThrow(StoreUnavailableError);
        await expect(store.history(sessionId)).rejects.toThrow(StoreUnavailableError);
        await expect(store.renewTurn(lease)).rejects.toThrow(StoreUnavailableError);
        await expect(all(store.frames(sessionId, 0, never))).rejects.toThrow(StoreUnavailableError);
        await store.close();
      });
    });

    describe("ttl", () => {
      it("forgets a session that was left alone", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1");
        await subject.passTime(sessionId, TTL_MS - 5_000);
        expect(await store.history(sessionId)).toHaveLength(2);
        await subject.passTime(sessionId, 5_001);
        expect(await store.history(sessionId)).toEqual([]);
        expect(await store.find(sessionId)).toBeUndefined();
        expect(await store.beginTurn(sessionId, { turnId: "t2", userMessage: "?" })).toEqual({
          status: "unknown-session",
        });
      });

      it.each<[string, (sessionId: string) => Promise<unknown>]>([
        ["being found", (sessionId) => store.find(sessionId)],
        ["a turn", (sessionId) => aTurn(sessionId, "another")],
      ])("is renewed by %s", async (_, touch) => {
        const sessionId = await aSession();
        for (let round = 0; round < 3; round++) {
          await subject.passTime(sessionId, TTL_MS - 5_000);
          await touch(sessionId);
        }
        expect(await store.find(sessionId)).toBeDefined();
      });

      it("is renewed by every write of a turn", async () => {
        await reopen({ ttlMs: TTL_MS, leaseMs: 2 * TTL_MS });
        const sessionId = await aSession();
        await subject.passTime(sessionId, TTL_MS - 5_000);
        const lease = await begin(sessionId, "t1");
        await subject.passTime(sessionId, TTL_MS - 5_000);
        await store.renewTurn(lease);
        await subject.passTime(sessionId, TTL_MS - 5_000);
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        await subject.passTime(sessionId, TTL_MS - 5_000);
        await endWell(lease, 2);
        await subject.passTime(sessionId, TTL_MS - 5_000);
        expect(await store.history(sessionId)).toHaveLength(2);
        await subject.passTime(sessionId, 5_001);
        expect(await store.find(sessionId)).toBeUndefined();
      });

      it("does not end a session below a turn that runs", async () => {
        await reopen({ ttlMs: 1_000 });
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await subject.passTime(sessionId, TURN_LEASE_MS - 5_000);
        expect((await store.find(sessionId))?.runningTurnId).toBe("t1");
        await store.renewTurn(lease);
        await subject.passTime(sessionId, TURN_LEASE_MS - 5_000);
        await endWell(lease, 1);
        expect(await store.find(sessionId)).toEqual({ lastSeq: 1 });
        await subject.passTime(sessionId, 1_001);
        expect(await store.find(sessionId)).toBeUndefined();
      });
    });

    describe("turns", () => {
      it("keeps what was said, in order", async () => {
        const sessionId = await aSession();
        const messages: HistoryMessage[] = [
          {
            role: "assistant",
            turnId: "t1",
            content: "let me see … ☂ \u2028 \0",
            toolCalls: [{ id: "c1", name: "weather", arguments: { city: "Zürich", days: [1, 2] } }],
            providerMetadata: { openai: { itemId: "x" } },
          },
          { role: "tool", turnId: "t1", toolCallId: "c1", toolName: "weather", result: { c: 7 } },
          { role: "tool", turnId: "t1", toolCallId: "c2", toolName: "weather", error: "no such" },
          { role: "assistant", turnId: "t1", content: "", partial: true },
        ];
        const lease = await begin(sessionId, "t1");
        await store.endTurn(lease, { frames: [done(lease, 1)], messages });
        await aTurn(sessionId, "t2");
        expect(await other.history(sessionId)).toEqual([
          { role: "user", turnId: "t1", content: "question of t1" },
          ...messages,
          { role: "user", turnId: "t2", content: "question of t2" },
          { role: "assistant", turnId: "t2", content: "answer of t2" },
        ]);
      });

      it("has the user's message in the history from the beginning of the turn", async () => {
        const sessionId = await aSession();
        await begin(sessionId, "t1");
        expect(await store.history(sessionId)).toEqual([
          { role: "user", turnId: "t1", content: "question of t1" },
        ]);
      });

      it("hands out a history that can be changed without harm", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1");
        const history = await store.history(sessionId);
        for (const message of history) Object.assign(message, { content: "changed" });
        history.length = 1;
        expect(await store.history(sessionId)).toMatchObject([
          { content: "question of t1" },
          { content: "answer of t1" },
        ]);
      });

      it("runs one at a time", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        expect(await other.beginTurn(sessionId, { turnId: "t2", userMessage: "?" })).toEqual({
          status: "in-progress",
          turnId: "t1",
        });
        expect(await other.find(sessionId)).toEqual({ lastSeq: 0, runningTurnId: "t1" });
        await endWell(lease, 1);
        expect(await other.find(sessionId)).toEqual({ lastSeq: 1 });
        const next = await begin(sessionId, "t2", { from: other });
        expect(next).toEqual({ sessionId, turnId: "t2", fence: lease.fence + 1, seqBefore: 1 });
        expect(await store.history(sessionId)).toHaveLength(3);
      });

      it("starts exactly one of many that begin at once", async () => {
        const sessionId = await aSession();
        for (let round = 0; round < 5; round++) {
          const begun = await Promise.all(
            Array.from({ length: 20 }, (_, at) =>
              (at % 2 === 0 ? store : other).beginTurn(sessionId, {
                turnId: `t${round}-${at}`,
                userMessage: `${at}`,
              }),
            ),
          );
          const started = begun.filter((result) => result.status === "started");
          expect(started).toHaveLength(1);
          const { lease } = started[0] as { lease: TurnLease };
          const refused = begun.filter((result) => result.status !== "started");
          const inProgress = { status: "in-progress", turnId: lease.turnId };
          expect(refused).toEqual(Array.from({ length: 19 }, () => inProgress));
          await endWell(lease, 1);
        }
        expect(await store.history(sessionId)).toHaveLength(10);
      });

      it("answers the same begin again, because its answer was lost", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1", { messageId: "m1" });
        expect(await begin(sessionId, "t1", { messageId: "m1" })).toEqual(lease);
        expect(await store.history(sessionId)).toHaveLength(1);
      });

      it("ends a turn once, also when that is asked again", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await endWell(lease, 1);
        await endWell(lease, 1);
        expect(await store.find(sessionId)).toEqual({ lastSeq: 1 });
        expect(await store.history(sessionId)).toHaveLength(2);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual([1]);
      });

      it("ends a turn that has no frames and no messages", async () => {
        const sessionId = await aSession();
        for (const turnId of ["t1", "t2"]) {
          const lease = await begin(sessionId, turnId);
          await store.endTurn(lease, { frames: [], messages: [] });
        }
        expect(await store.find(sessionId)).toEqual({ lastSeq: 0 });
        expect(await all(store.frames(sessionId, 0, never))).toEqual([]);
      });

      it("takes nothing from a turn that has ended", async () => {
        const sessionId = await aSession();
        const lease = await aTurn(sessionId, "t1");
        await expect(store.appendFrames(lease, [chunk(lease, 2, "late")])).rejects.toThrow(
          TurnLostError,
        );
        await expect(store.renewTurn(lease)).rejects.toThrow(TurnLostError);
        expect(await store.find(sessionId)).toEqual({ lastSeq: 1 });
      });

      it("takes nothing from a turn whose session is gone", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await subject.passTime(sessionId, TTL_MS + TURN_LEASE_MS);
        await expect(store.appendFrames(lease, [chunk(lease, 1, "late")])).rejects.toThrow(
          TurnLostError,
        );
        await expect(store.renewTurn(lease)).rejects.toThrow(TurnLostError);
        await expect(endWell(lease, 1)).rejects.toThrow(TurnLostError);
        expect(await store.find(sessionId)).toBeUndefined();
      });
    });

    describe("the same message again", () => {
      it("does not run again while its turn runs, nor after", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1", 2);
        const lease = await begin(sessionId, "t2", { messageId: "m1" });
        const again = { turnId: "t3", messageId: "m1", userMessage: "question of t2" };
        const repeated = { status: "repeated", turnId: "t2", seqBefore: 3 };
        expect(await other.beginTurn(sessionId, again)).toEqual({ ...repeated, running: true });
        await endWell(lease, 1);
        expect(await other.beginTurn(sessionId, again)).toEqual({ ...repeated, running: false });
        await begin(sessionId, "t4", { messageId: "m2" });
        expect(await other.beginTurn(sessionId, again)).toEqual({ ...repeated, running: false });
        expect(await store.history(sessionId)).toHaveLength(5);
      });

      it("is another message in another session", async () => {
        await begin(await aSession(), "t1", { messageId: "m1" });
        await begin(await aSession(), "t2", { messageId: "m1" });
      });

      it("is forgotten after a number of turns", async () => {
        const sessionId = await aSession();
        const endNow = async (lease: TurnLease): Promise<void> =>
          store.endTurn(lease, { frames: [], messages: [] });
        await endNow(await begin(sessionId, "first", { messageId: "first" }));
        for (let turn = 1; turn < MAX_REMEMBERED_TURNS; turn++) {
          await endNow(await begin(sessionId, `t${turn}`, { messageId: `m${turn}` }));
        }
        const again = { messageId: "first", userMessage: "?" };
        expect(await store.beginTurn(sessionId, { ...again, turnId: "x" })).toMatchObject({
          status: "repeated",
          turnId: "first",
        });
        await endNow(await begin(sessionId, "one more"));
        expect(await store.beginTurn(sessionId, { ...again, turnId: "y" })).toMatchObject({
          status: "started",
        });
      });
    });

    describe("a turn whose lease has ended", () => {
      it("does not count as running", async () => {
        const sessionId = await aSession();
        await begin(sessionId, "t1", { messageId: "m1" });
        await subject.passTime(sessionId, TURN_LEASE_MS + 1);
        expect(await store.find(sessionId)).toEqual({ lastSeq: 0 });
        expect(
          await store.beginTurn(sessionId, { turnId: "t2", messageId: "m1", userMessage: "?" }),
        ).toEqual({ status: "repeated", turnId: "t1", seqBefore: 0, running: false });
      });

      it("makes way, and is refused from then on", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a"), chunk(lease, 2, "b")]);
        await subject.passTime(sessionId, TURN_LEASE_MS + 1);

        const next = await begin(sessionId, "t2", { from: other });
        expect(next).toMatchObject({ fence: lease.fence + 1, seqBefore: 2 });
        await expect(store.appendFrames(lease, [chunk(lease, 3, "c")])).rejects.toThrow(
          TurnLostError,
        );
        await expect(store.renewTurn(lease)).rejects.toThrow(TurnLostError);
        await expect(endWell(lease, 3)).rejects.toThrow(TurnLostError);

        await other.endTurn(next, { frames: [done(next, 3)], messages: [answer(next)] });
        await expect(endWell(lease, 3)).rejects.toThrow(TurnLostError);
        expect(await turnIds(store.frames(sessionId, 0, never))).toEqual(["t1", "t1", "t2"]);
        expect((await store.history(sessionId)).map(({ turnId }) => turnId)).toEqual([
          "t1",
          "t2",
          "t2",
        ]);
      });

      it("goes on when nothing has taken its place", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await subject.passTime(sessionId, TURN_LEASE_MS + 1);
        await store.renewTurn(lease);
        expect((await store.find(sessionId))?.runningTurnId).toBe("t1");
        await subject.passTime(sessionId, TURN_LEASE_MS + 1);
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        expect((await store.find(sessionId))?.runningTurnId).toBe("t1");
        await subject.passTime(sessionId, TURN_LEASE_MS + 1);
        await endWell(lease, 2);
        expect(await store.find(sessionId)).toEqual({ lastSeq: 2 });
      });
    });

    describe("frames", () => {
      it("are given as they were written, after any of them", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        const frames: TurnFrame[] = [
          chunk(lease, 1, "Grüße 👋"),
          toolCall(lease, 2),
          toolResult(lease, 3),
          done(lease, 4),
        ];
        await store.appendFrames(lease, frames.slice(0, 2));
        await store.endTurn(lease, { frames: frames.slice(2), messages: [] });
        const next = await begin(sessionId, "t2");
        const failed = failure(next, 5);
        await store.endTurn(next, { frames: [failed], messages: [] });
        expect(await all(other.frames(sessionId, 0, never))).toEqual([...frames, failed]);
        expect(await all(other.frames(sessionId, 2, never))).toEqual([...frames.slice(2), failed]);
        expect(await all(other.frames(sessionId, 4, never))).toEqual([failed]);
        expect(await all(other.frames(sessionId, 5, never))).toEqual([]);
        expect(await all(other.frames(sessionId, 99, never))).toEqual([]);
      });

      it("are given completely when they are many", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1", 300);
        await aTurn(sessionId, "t2", 300);
        expect(await seqs(other.frames(sessionId, 7, never))).toEqual(upTo(602).slice(7));
      });

      it("are written once, also when they are handed over again", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        const frames = ["a", "b", "c", "d"].map((text, at) => chunk(lease, at + 1, text));
        await store.appendFrames(lease, frames.slice(0, 2));
        await store.appendFrames(lease, frames.slice(0, 2));
        await store.appendFrames(lease, frames.slice(1, 4));
        await store.appendFrames(lease, []);
        await store.endTurn(lease, { frames: [...frames.slice(3), done(lease, 5)], messages: [] });
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual(upTo(5));
        expect(await store.find(sessionId)).toEqual({ lastSeq: 5 });
      });

      it("are refused when one is missing", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const gap = store.appendFrames(lease, [chunk(lease, 3, "c")]);
        await expect(gap).rejects.toThrow(FrameGapError);
        await expect(gap).rejects.toMatchObject({ lastSeq: 1 });
        await expect(endWell(lease, 3)).rejects.toThrow(FrameGapError);
        const apart = store.appendFrames(lease, [chunk(lease, 2, "b"), chunk(lease, 4, "d")]);
        await expect(apart).rejects.toThrow(RangeError);
        expect((await store.find(sessionId))?.runningTurnId).toBe("t1");
        await store.appendFrames(lease, [chunk(lease, 2, "b")]);
        await endWell(lease, 3);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual([1, 2, 3]);
      });

      it("are forgotten some time after the end of their turn", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1", 3);
        await subject.passTime(sessionId, FRAME_RETENTION_MS / 2);
        await aTurn(sessionId, "t2", 3);
        await subject.passTime(sessionId, FRAME_RETENTION_MS / 2 - 10_000);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual(upTo(8));
        await subject.passTime(sessionId, 10_001);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual([5, 6, 7, 8]);
        await subject.passTime(sessionId, FRAME_RETENTION_MS / 2);
        expect(await all(store.frames(sessionId, 0, never))).toEqual([]);
        expect(await store.find(sessionId)).toEqual({ lastSeq: 8 });
        expect((await begin(sessionId, "t3")).seqBefore).toBe(8);
        expect(await store.history(sessionId)).toHaveLength(5);
      });

      it("of a turn that runs are kept however long it takes", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        await subject.passTime(sessionId, FRAME_RETENTION_MS + 1);
        await endWell(lease, 2);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual([1, 2]);
      });

      it("of a turn are kept up to a limit, past which the oldest chunks go", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1", 2);
        const lease = await begin(sessionId, "t2");
        const text = "x".repeat(64 * 1024);
        await store.appendFrames(lease, [toolCall(lease, 4), toolResult(lease, 5)]);
        for (let seq = 6; seq <= 85; seq++) {
          await store.appendFrames(lease, [chunk(lease, seq, text)]);
        }
        await endWell(lease, 83);
        const kept = await all(store.frames(sessionId, 0, never));
        const types = kept.map(({ type }) => type);
        expect(types.slice(0, 3)).toEqual(["chunk", "chunk", "done"]);
        expect(types.slice(3, 6)).toEqual(["tool_call", "tool_result", "chunk"]);
        const chunks = kept.slice(5, -1).map(({ seq }) => seq);
        expect(chunks).toEqual(upTo(85).slice(85 - chunks.length));
        expect(chunks.length).toBe(Math.floor((MAX_FRAME_BYTES_PER_TURN - 1_500) / text.length));
        expect(kept.at(-1)?.seq).toBe(86);
      }, 20_000);
    });

    describe("following", () => {
      it("gives what was written, then what comes, and ends with the turn", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1");
        const lease = await begin(sessionId, "t2");
        await store.appendFrames(lease, [chunk(lease, 2, "a")]);
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(2);
        for (let seq = 3; seq <= 10; seq++) {
          await store.appendFrames(lease, [chunk(lease, seq, "b")]);
          await followed.reaches(seq);
        }
        await endWell(lease, 10);
        await followed.ended;
        expect(followed.seqs).toEqual(upTo(11));
      });

      it("begins before the first frame, and behind the last one that is known", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1");
        const lease = await begin(sessionId, "t2");
        const followed = follow(other.frames(sessionId, 1, never));
        const ahead = follow(other.frames(sessionId, 3, never));
        await store.appendFrames(lease, [chunk(lease, 2, "a"), chunk(lease, 3, "b")]);
        await store.appendFrames(lease, [chunk(lease, 4, "c")]);
        await endWell(lease, 4);
        await Promise.all([followed.ended, ahead.ended]);
        expect(followed.seqs).toEqual([2, 3, 4, 5]);
        expect(ahead.seqs).toEqual([4, 5]);
      });

      it("ends with a turn that writes nothing", async () => {
        const sessionId = await aSession();
        await aTurn(sessionId, "t1");
        const lease = await begin(sessionId, "t2");
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(1);
        await store.endTurn(lease, { frames: [], messages: [] });
        await followed.ended;
        expect(followed.seqs).toEqual([1]);
      });

      it("serves many at once, each from its own place", async () => {
        const sessionIds = await Promise.all(Array.from({ length: 10 }, () => aSession()));
        const leases = await Promise.all(sessionIds.map((id) => begin(id, `turn of ${id}`)));
        const followers = leases.flatMap(({ sessionId }) =>
          [0, 0, 5].map((after) => ({ after, ...follow(other.frames(sessionId, after, never)) })),
        );
        for (let seq = 1; seq <= 20; seq++) {
          await Promise.all(
            leases.map((lease) => store.appendFrames(lease, [chunk(lease, seq, "x")])),
          );
        }
        await Promise.all(leases.map((lease) => endWell(lease, 21)));
        for (const { after, ended, seqs: given } of followers) {
          await ended;
          expect(given).toEqual(upTo(21).slice(after));
        }
      });

      it("gives each its frames although another one takes none", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        const slow = other.frames(sessionId, 0, never)[Symbol.asyncIterator]();
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const first = await slow.next();
        const quick = follow(other.frames(sessionId, 0, never));
        const text = "x".repeat(100 * 1024);
        for (let seq = 2; seq <= 12; seq++) {
          await store.appendFrames(lease, [chunk(lease, seq, text)]);
          await quick.reaches(seq);
        }
        await endWell(lease, 13);
        await quick.ended;
        const rest = await all({ [Symbol.asyncIterator]: () => slow });
        expect([...(first.value as TurnFrame[]), ...rest].map(({ seq }) => seq)).toEqual(upTo(13));
      });

      it("goes on with the turn that takes the place of one that died", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(1);
        await subject.passTime(sessionId, TURN_LEASE_MS - 1_000);
        await store.renewTurn(lease);
        await store.endTurn(lease, { frames: [], messages: [] });
        const next = await begin(sessionId, "t2");
        await store.appendFrames(next, [chunk(next, 2, "b")]);
        await store.endTurn(next, { frames: [done(next, 3)], messages: [] });
        await followed.ended;
        // Between the two turns it may have ended, as none was running.
        expect([[1], [1, 2, 3]]).toContainEqual(followed.seqs);
      });

      it("ends when the lease of the turn has ended", async () => {
        await reopen({ ttlMs: TTL_MS, leaseMs: 300 });
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const followed = follow(other.frames(sessionId, 0, never));
        await followed.reaches(1);
        await subject.passTime(sessionId, 301);
        await followed.ended;
        expect(followed.seqs).toEqual([1]);
      });

      it("ends when it is aborted, at once", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        const controller = new AbortController();
        const followed = follow(other.frames(sessionId, 0, controller.signal));
        await followed.reaches(1);
        controller.abort();
        await followed.ended;
        expect(await all(other.frames(sessionId, 0, AbortSignal.abort()))).toEqual([]);
      });

      it("ends when its reader leaves", async () => {
        const sessionId = await aSession();
        const lease = await begin(sessionId, "t1");
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        for await (const frames of other.frames(sessionId, 0, never)) {
          expect(frames).toHaveLength(1);
          break;
        }
      });
    });
  });
}

const never = new AbortController().signal;

function stamp(lease: TurnLease, seq: number): Omit<ChunkFrame, "type" | "content"> {
  return {
    session_id: lease.sessionId,
    turn_id: lease.turnId,
    seq,
    timestamp: "2026-01-01T00:00:00.000Z",
  };
}

export function chunk(lease: TurnLease, seq: number, content: string): ChunkFrame {
  return { type: "chunk", ...stamp(lease, seq), content };
}

export function done(lease: TurnLease, seq: number): DoneFrame {
  return {
    type: "done",
    ...stamp(lease, seq),
    content: `answer of ${lease.turnId}`,
    usage: { input_tokens: 3, output_tokens: 4 },
    finish_reason: "stop",
  };
}

function toolCall(lease: TurnLease, seq: number): ToolCallFrame {
  const call = { id: "c1", name: "weather", arguments: { city: "Zürich", nested: { a: [null] } } };
  return { type: "tool_call", ...stamp(lease, seq), tool_call: call };
}

function toolResult(lease: TurnLease, seq: number): ToolResultFrame {
  return {
    type: "tool_result",
    ...stamp(lease, seq),
    tool_result: { id: "c1", result: ["sun", 7] },
  };
}

function failure(lease: TurnLease, seq: number): TurnErrorFrame {
  return {
    type: "error",
    ...stamp(lease, seq),
    error: { code: "PROVIDER_ERROR", message: "no" },
  };
}

export function answer({ turnId }: TurnLease): HistoryMessage {
  return { role: "assistant", turnId, content: `answer of ${turnId}` };
}

export async function all(batches: AsyncIterable<readonly TurnFrame[]>): Promise<TurnFrame[]> {
  const frames: TurnFrame[] = [];
  for await (const batch of batches) frames.push(...batch);
  return frames;
}

async function seqs(batches: AsyncIterable<readonly TurnFrame[]>): Promise<number[]> {
  return (await all(batches)).map(({ seq }) => seq);
}

async function turnIds(batches: AsyncIterable<readonly TurnFrame[]>): Promise<string[]> {
  return (await all(batches)).map(({ turn_id }) => turn_id);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

export interface Followed {
  readonly seqs: number[];
  readonly ended: Promise<void>;
  /** Resolves when the frame with this seq has come. */
  reaches(seq: number): Promise<void>;
}

/** Takes frames in the background. */
export function follow(batches: AsyncIterable<readonly TurnFrame[]>): Followed {
  const given: number[] = [];
  const ended = (async () => {
    for await (const batch of batches) given.push(...batch.map(({ seq }) => seq));
  })();
  ended.catch(() => {});
  return {
    seqs: given,
    ended,
    async reaches(seq) {
      while ((given.at(-1) ?? 0) < seq) await Promise.race([ended, realTime(2)]);
    },
  };
}
