/** What every session store must do, whatever it stands on. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  all,
  aSession,
  aTurn,
  begin,
  chunk,
  CLIENT,
  done,
  endWell,
  never,
  OWNER,
  seqs,
} from "./turns.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import type { HistoryMessage } from "../history-message.ts";
import { describeAbandonedTurns } from "./abandoned-turns.contract.ts";
import { describeSessionApprovals } from "./session-approvals.contract.ts";
import { describeSessionCosts } from "./session-costs.contract.ts";
import { describeTokenBudgets } from "./token-budgets.contract.ts";
import { describeSessionDeletion } from "./session-deletion.contract.ts";
import { describeSessionForks } from "./session-forks.contract.ts";
import { describeSessionLists } from "./session-lists.contract.ts";
import { describeSessionTimelines } from "./session-timelines.contract.ts";
import { describeSessionFrames } from "./session-frames.contract.ts";
import { describeSessionOwners } from "./session-owners.contract.ts";
import { describeSessionSizes } from "./session-sizes.contract.ts";
import { describeSessionVersions } from "./session-versions.contract.ts";
import { newSessionId } from "../session-id.ts";
import {
  MAX_REMEMBERED_TURNS,
  SessionExistsError,
  StoreUnavailableError,
  TURN_LEASE_MS,
  TurnLostError,
  type SessionStore,
  type TurnLease,
} from "../session-store.ts";

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

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    describe("sessions", () => {
      it("finds a new session with no turn in it", async () => {
        const sessionId = await aSession(store);
        expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 0 });
        expect(await other.find(sessionId, OWNER)).toEqual({ lastSeq: 0 });
        expect(await store.history(sessionId)).toEqual([]);
      });

      it("is found by its owner, and by nobody whose name is like the owner's", async () => {
        const owner = "käthe@example.com";
        const sessionId = await aSession(store, { owner, holder: "a holder" });
        expect(await store.find(sessionId, owner)).toEqual({ lastSeq: 0 });
        for (const like of ["", "käthe@example.co", "KÄTHE@example.com", `${owner} `, "nobody"]) {
          expect(await store.find(sessionId, like)).toBeUndefined();
          expect(await other.find(sessionId, like)).toBeUndefined();
        }
      });

      it("knows nothing of a session that was not made", async () => {
        for (const sessionId of [newSessionId(randomBytes), "", "a}b", "x".repeat(5_000), "é"]) {
          expect(await store.find(sessionId, OWNER)).toBeUndefined();
          expect(await store.history(sessionId)).toEqual([]);
          expect(await all(store.frames(sessionId, 0, never))).toEqual([]);
          expect(
            await store.beginTurn(sessionId, OWNER, { turnId: "t", userMessage: "?" }),
          ).toEqual({
            status: "unknown-session",
          });
        }
      });

      it("does not make one session over another", async () => {
        const sessionId = await aSession(store);
        for (const owner of ["ben", ""]) {
          const create = store.create(sessionId, { ...CLIENT, owner });
          await expect(create).rejects.toThrow(SessionExistsError);
        }
        // The same call again, because its answer was lost.
        await store.create(sessionId, CLIENT);
        await aTurn(store, sessionId, "t1");
        await expect(store.create(sessionId, CLIENT)).rejects.toThrow(SessionExistsError);
        expect(await store.history(sessionId)).toHaveLength(2);
      });

      it("counts the sessions that are active", async () => {
        const before = store.activeSessions();
        const sessionId = await aSession(store);
        await aSession(store);
        await store.find(sessionId, OWNER);
        await store.find("unknown", OWNER);
        expect(store.activeSessions()).toBe(before + 2);
      });

      it("answers a check, and refuses everything once it is closed", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await store.check();
        await store.close();
        await expect(store.check()).rejects.toThrow(StoreUnavailableError);
        await expect(store.find(sessionId, OWNER)).rejects.toThrow(StoreUnavailableError);
        await expect(store.create("s", CLIENT)).rejects.toThrow(StoreUnavailableError);
        await expect(store.history(sessionId)).rejects.toThrow(StoreUnavailableError);
        await expect(store.renewTurn(lease)).rejects.toThrow(StoreUnavailableError);
        await expect(all(store.frames(sessionId, 0, never))).rejects.toThrow(StoreUnavailableError);
        await store.close();
      });
    });

    describe("ttl", () => {
      it("forgets a session that was left alone", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1");
        await subject.passTime(sessionId, TTL_MS - 5_000);
        expect(await store.history(sessionId)).toHaveLength(2);
        await subject.passTime(sessionId, 5_001);
        expect(await store.history(sessionId)).toEqual([]);
        expect(await store.find(sessionId, OWNER)).toBeUndefined();
        expect(await store.beginTurn(sessionId, OWNER, { turnId: "t2", userMessage: "?" })).toEqual(
          {
            status: "unknown-session",
          },
        );
      });

      it.each<[string, (sessionId: string) => Promise<unknown>]>([
        ["being found", (sessionId) => store.find(sessionId, OWNER)],
        ["a turn", (sessionId) => aTurn(store, sessionId, newSessionId(randomBytes))],
      ])("is renewed by %s", async (_, touch) => {
        const sessionId = await aSession(store);
        for (let round = 0; round < 3; round++) {
          await subject.passTime(sessionId, TTL_MS - 5_000);
          await touch(sessionId);
        }
        expect(await store.find(sessionId, OWNER)).toBeDefined();
      });

      it("is renewed by every write of a turn", async () => {
        await reopen({ ttlMs: TTL_MS, leaseMs: 2 * TTL_MS });
        const sessionId = await aSession(store);
        await subject.passTime(sessionId, TTL_MS - 5_000);
        const lease = await begin(store, sessionId, "t1");
        await subject.passTime(sessionId, TTL_MS - 5_000);
        await store.renewTurn(lease);
        await subject.passTime(sessionId, TTL_MS - 5_000);
        await store.appendFrames(lease, [chunk(lease, 1, "a")]);
        await subject.passTime(sessionId, TTL_MS - 5_000);
        await endWell(store, lease, 2);
        await subject.passTime(sessionId, TTL_MS - 5_000);
        expect(await store.history(sessionId)).toHaveLength(2);
        await subject.passTime(sessionId, 5_001);
        expect(await store.find(sessionId, OWNER)).toBeUndefined();
      });

      it("does not end a session below a turn that runs", async () => {
        await reopen({ ttlMs: 1_000 });
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await subject.passTime(sessionId, TURN_LEASE_MS - 5_000);
        expect((await store.find(sessionId, OWNER))?.runningTurnId).toBe("t1");
        await store.renewTurn(lease);
        await subject.passTime(sessionId, TURN_LEASE_MS - 5_000);
        await endWell(store, lease, 1);
        expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 1 });
        await subject.passTime(sessionId, 1_001);
        expect(await store.find(sessionId, OWNER)).toBeUndefined();
      });
    });

    describe("turns", () => {
      it("keeps what was said, in order", async () => {
        const sessionId = await aSession(store);
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
        const lease = await begin(store, sessionId, "t1");
        await store.endTurn(lease, { frames: [done(lease, 1)], messages });
        await aTurn(store, sessionId, "t2");
        expect(await other.history(sessionId)).toEqual([
          { role: "user", turnId: "t1", content: "question of t1" },
          ...messages,
          { role: "user", turnId: "t2", content: "question of t2" },
          { role: "assistant", turnId: "t2", content: "answer of t2" },
        ]);
      });

      it("has the user's message in the history from the beginning of the turn", async () => {
        const sessionId = await aSession(store);
        await begin(store, sessionId, "t1");
        expect(await store.history(sessionId)).toEqual([
          { role: "user", turnId: "t1", content: "question of t1" },
        ]);
      });

      it("hands out a history that can be changed without harm", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1");
        const history = await store.history(sessionId);
        for (const message of history) Object.assign(message, { content: "changed" });
        history.length = 1;
        expect(await store.history(sessionId)).toMatchObject([
          { content: "question of t1" },
          { content: "answer of t1" },
        ]);
      });

      it("runs one at a time", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        expect(await other.beginTurn(sessionId, OWNER, { turnId: "t2", userMessage: "?" })).toEqual(
          {
            status: "in-progress",
            turnId: "t1",
          },
        );
        expect(await other.find(sessionId, OWNER)).toEqual({ lastSeq: 0, runningTurnId: "t1" });
        await endWell(store, lease, 1);
        expect(await other.find(sessionId, OWNER)).toEqual({ lastSeq: 1 });
        const next = await begin(other, sessionId, "t2");
        expect(next).toEqual({ sessionId, turnId: "t2", fence: lease.fence + 1, seqBefore: 1 });
        expect(await store.history(sessionId)).toHaveLength(3);
      });

      it("starts exactly one of many that begin at once", async () => {
        const sessionId = await aSession(store);
        for (let round = 0; round < 5; round++) {
          const begun = await Promise.all(
            Array.from({ length: 20 }, (_, at) =>
              (at % 2 === 0 ? store : other).beginTurn(sessionId, OWNER, {
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
          await endWell(store, lease, 1);
        }
        expect(await store.history(sessionId)).toHaveLength(10);
      });

      it("answers the same begin again, because its answer was lost", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1", "m1");
        expect(await begin(store, sessionId, "t1", "m1")).toEqual(lease);
        expect(await store.history(sessionId)).toHaveLength(1);
      });

      it("ends a turn once, also when that is asked again", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await endWell(store, lease, 1);
        await endWell(store, lease, 1);
        expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 1 });
        expect(await store.history(sessionId)).toHaveLength(2);
        expect(await seqs(store.frames(sessionId, 0, never))).toEqual([1]);
      });

      it("ends a turn that has no frames and no messages", async () => {
        const sessionId = await aSession(store);
        for (const turnId of ["t1", "t2"]) {
          const lease = await begin(store, sessionId, turnId);
          await store.endTurn(lease, { frames: [], messages: [] });
        }
        expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 0 });
        expect(await all(store.frames(sessionId, 0, never))).toEqual([]);
      });

      it("takes nothing from a turn that has ended", async () => {
        const sessionId = await aSession(store);
        const lease = await aTurn(store, sessionId, "t1");
        await expect(store.appendFrames(lease, [chunk(lease, 2, "late")])).rejects.toThrow(
          TurnLostError,
        );
        await expect(store.renewTurn(lease)).rejects.toThrow(TurnLostError);
        expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 1 });
      });

      it("takes nothing from a turn whose session is gone", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1");
        await subject.passTime(sessionId, TTL_MS + TURN_LEASE_MS);
        await expect(store.appendFrames(lease, [chunk(lease, 1, "late")])).rejects.toThrow(
          TurnLostError,
        );
        await expect(store.renewTurn(lease)).rejects.toThrow(TurnLostError);
        await expect(endWell(store, lease, 1)).rejects.toThrow(TurnLostError);
        expect(await store.find(sessionId, OWNER)).toBeUndefined();
      });
    });

    describe("the same message again", () => {
      it("does not run again while its turn runs, nor after", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1", 2);
        const lease = await begin(store, sessionId, "t2", "m1");
        const again = { turnId: "t3", messageId: "m1", userMessage: "question of t2" };
        const repeated = { status: "repeated", turnId: "t2", seqBefore: 3 };
        expect(await other.beginTurn(sessionId, OWNER, again)).toEqual({
          ...repeated,
          running: true,
        });
        await endWell(store, lease, 1);
        expect(await other.beginTurn(sessionId, OWNER, again)).toEqual({
          ...repeated,
          running: false,
        });
        await begin(store, sessionId, "t4", "m2");
        expect(await other.beginTurn(sessionId, OWNER, again)).toEqual({
          ...repeated,
          running: false,
        });
        expect(await store.history(sessionId)).toHaveLength(5);
      });

      it("is another message in another session", async () => {
        await begin(store, await aSession(store), "t1", "m1");
        await begin(store, await aSession(store), "t2", "m1");
      });

      it("is forgotten after a number of turns", async () => {
        const sessionId = await aSession(store);
        const endNow = async (lease: TurnLease): Promise<void> =>
          store.endTurn(lease, { frames: [], messages: [] });
        await endNow(await begin(store, sessionId, "first", "first"));
        for (let turn = 1; turn < MAX_REMEMBERED_TURNS; turn++) {
          await endNow(await begin(store, sessionId, `t${turn}`, `m${turn}`));
        }
        const again = { messageId: "first", userMessage: "?" };
        expect(await store.beginTurn(sessionId, OWNER, { ...again, turnId: "x" })).toMatchObject({
          status: "repeated",
          turnId: "first",
        });
        await endNow(await begin(store, sessionId, "one more"));
        expect(await store.beginTurn(sessionId, OWNER, { ...again, turnId: "y" })).toMatchObject({
          status: "started",
        });
      });
    });

    describe("a turn that is withdrawn", () => {
      it("was never begun: its message can be sent again", async () => {
        const sessionId = await aSession(store);
        await aTurn(store, sessionId, "t1");
        await begin(store, sessionId, "t2", "m2");
        await store.withdrawTurn(sessionId, { turnId: "t2", messageId: "m2" });
        await store.withdrawTurn(sessionId, { turnId: "t2", messageId: "m2" });
        expect(await other.find(sessionId, OWNER)).toEqual({ lastSeq: 1 });
        expect(await store.history(sessionId)).toHaveLength(2);
        const lease = await begin(other, sessionId, "t3", "m2");
        expect(lease.seqBefore).toBe(1);
        await endWell(other, lease, 1);
        expect((await store.history(sessionId)).map(({ turnId }) => turnId)).toEqual([
          "t1",
          "t1",
          "t3",
          "t3",
        ]);
      });

      it("is none that said something, was taken over, or is another one", async () => {
        const sessionId = await aSession(store);
        const lease = await begin(store, sessionId, "t1", "m1");
        await store.withdrawTurn(sessionId, { turnId: "t0" });
        expect(await store.find(sessionId, OWNER)).toMatchObject({ runningTurnId: "t1" });
        await subject.passTime(sessionId, TURN_LEASE_MS + 1);
        await other.takeOver(sessionId, OWNER, "a claim");
        await store.withdrawTurn(sessionId, { turnId: "t1", messageId: "m1" });
        expect(await store.find(sessionId, OWNER)).toMatchObject({ runningTurnId: "t1" });
        const next = await begin(store, await aSession(store), "t2");
        await store.appendFrames(next, [chunk(next, 1, "a")]);
        await store.withdrawTurn(next.sessionId, { turnId: "t2" });
        expect(await store.find(next.sessionId, OWNER)).toMatchObject({ runningTurnId: "t2" });
        expect(lease.turnId).toBe("t1");
      });
    });

    describeAbandonedTurns(open);
    describeSessionFrames(open);
    describeSessionOwners(open);
    describeSessionSizes(open);
    describeSessionApprovals(open);
    describeSessionVersions(open);
    describeSessionLists(open);
    describeSessionTimelines(open);
    describeSessionForks(open);
    describeSessionCosts(open);
    describeSessionDeletion(open);
    describeTokenBudgets(open);
  });
}
