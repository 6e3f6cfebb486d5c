/** What every session store must do with a session whose calls wait for an approval. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApprovalRequestFrame } from "../../../protocol/frames.ts";
import type { HistoryMessage } from "../history-message.ts";
import {
  FRAME_RETENTION_MS,
  TURN_LEASE_MS,
  type AnsweredCall,
  type SessionStore,
  type TurnLease,
} from "../session-store.ts";
import type { JournalEntry } from "../turn-journal.ts";
import type { CallAnswer } from "../waiting-calls.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import { all, answer, aSession, begin, chunk, done, endWell, never, OWNER } from "./turns.ts";

function request(lease: TurnLease, seq: number, id: string): ApprovalRequestFrame {
  return {
    type: "approval_request",
    session_id: lease.sessionId,
    turn_id: lease.turnId,
    seq,
    timestamp: "2026-01-01T00:00:00.000Z",
    approval: {
      id,
      name: "pay",
      arguments: { to: "Zoë 👋", nested: { a: [null] } },
      expires_at: "2026-01-02T00:00:00.000Z",
    },
  };
}

export function approve(id: string, turnId: string, more: object = {}): CallAnswer {
  return { entry: { type: "call-answered", id, isApproved: true, ...more }, turnId };
}

function deny(id: string, turnId: string, reason = "no"): CallAnswer {
  return { entry: { type: "call-answered", id, isApproved: false, reason }, turnId };
}

function stepOf(turnId: string, ids: readonly string[]): JournalEntry {
  const toolCalls = ids.map((id) => ({ id, name: "pay", arguments: {} }));
  return { type: "step", message: { role: "assistant", turnId, content: "I pay.", toolCalls } };
}

/** The messages of a turn that waits, should nobody answer. */
function withoutAnswer(turnId: string, ids: readonly string[]): HistoryMessage[] {
  const step = stepOf(turnId, ids);
  if (step.type !== "step") throw new Error("no step");
  return [
    step.message,
    ...ids.map((toolCallId): HistoryMessage => ({
      role: "tool",
      turnId,
      toolCallId,
      toolName: "pay",
      error: "not called",
    })),
  ];
}

/** A session whose turn t1 has ended with requests for these calls. */
export async function aWaitingSession(store: SessionStore, ...ids: string[]) {
  const sessionId = await aSession(store);
  const turn = {
    turnId: "t1",
    messageId: "m1",
    userMessage: "Pay!",
    origin: { handler: "runtime", metadata: { channel: "web" } },
    promptVersions: { fresh: "one", kept: ["one"] },
  };
  const begun = await store.beginTurn(sessionId, OWNER, turn);
  if (begun.status !== "started") throw new Error(begun.status);
  const { lease } = begun;
  const step = stepOf("t1", ids);
  await store.appendFrames(lease, [chunk(lease, 1, "I pay.")], { first: 0, entries: [step] });
  const requests = ids.map((id, at) => request(lease, 2 + at, id));
  await endWaiting(store, lease, requests);
  return { sessionId, lease, requests, step };
}

async function endWaiting(
  store: SessionStore,
  lease: TurnLease,
  requests: readonly ApprovalRequestFrame[],
): Promise<void> {
  const last = requests.at(-1)?.seq ?? 0;
  await store.endTurn(lease, {
    frames: [...requests, { ...done(lease, last + 1), finish_reason: "awaiting_approval" }],
    messages: withoutAnswer(
      "t1",
      requests.map(({ approval }) => approval.id),
    ),
  });
}

function startedIn(answered: AnsweredCall) {
  if (answered.status !== "started") throw new Error(answered.status);
  return answered.turn;
}

export function describeSessionApprovals(open: OpenSubject): void {
  describe("a session whose calls wait for an approval", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    it("has no turn, and gives the open requests as they were, on every replica", async () => {
      const { sessionId, requests } = await aWaitingSession(store, "c1", "c2");
      for (const each of [store, other]) {
        expect(await each.find(sessionId, OWNER)).toEqual({
          lastSeq: 4,
          waiting: { requests, promptVersion: "one" },
        });
      }
      expect((await all(other.frames(sessionId, 0, never))).slice(1, 3)).toEqual(requests);
      expect(await other.takeOver(sessionId, OWNER, "a claim")).toEqual({ status: "none" });
      expect(await other.cancelTurn(sessionId, OWNER)).toBe("none");
    });

    it("has a history to which every call has its result", async () => {
      const { sessionId } = await aWaitingSession(store, "c1");
      expect((await other.history(sessionId)).map(({ role }) => role)).toEqual([
        "user",
        "assistant",
        "tool",
      ]);
    });

    it("keeps the requests when the frames of their turn are forgotten", async () => {
      const { sessionId, requests } = await aWaitingSession(store, "c1");
      await subject.passTime(sessionId, FRAME_RETENTION_MS + 1);
      await expect(all(store.frames(sessionId, 0, never))).rejects.toThrow(/no longer kept/);
      expect((await other.find(sessionId, OWNER))?.waiting?.requests).toEqual(requests);
      expect(
        startedIn(await other.answerCall(sessionId, OWNER, approve("c1", "t2"))),
      ).toMatchObject({ lastSeq: 3 });
    });

    it("waits as long as it lives, and an answer counts as activity", async () => {
      const { sessionId } = await aWaitingSession(store, "c1", "c2");
      await subject.passTime(sessionId, TTL_MS - 5_000);
      expect(await store.answerCall(sessionId, OWNER, deny("c1", "x"))).toEqual({
        status: "recorded",
      });
      await subject.passTime(sessionId, TTL_MS - 5_000);
      expect(await store.answerCall(sessionId, OWNER, deny("c2", "t2"))).toMatchObject({
        status: "started",
      });
    });

    it("goes on behind the journal with the last answer, in a turn of its own", async () => {
      const { sessionId, lease, step } = await aWaitingSession(store, "c1", "c2");
      const denied = deny("c2", "a try", "too much");
      expect(await other.answerCall(sessionId, OWNER, denied)).toEqual({ status: "recorded" });
      expect((await store.find(sessionId, OWNER))?.waiting?.requests).toMatchObject([
        { approval: { id: "c1" } },
      ]);
      const approved = approve("c1", "t2", { arguments: { to: "Zoë" } });
      const turn = startedIn(await other.answerCall(sessionId, OWNER, approved));
      const journal = [step, denied.entry, approved.entry, { type: "went-on" }];
      expect(turn).toEqual({
        lease: { sessionId, turnId: "t2", fence: lease.fence + 1, seqBefore: 4 },
        lastSeq: 4,
        userMessage: "Pay!",
        firstTurnId: "t1",
        messageId: undefined,
        origin: { handler: "runtime", metadata: { channel: "web" }, promptVersion: "one" },
        journal,
        isCancelled: false,
      });
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 4, runningTurnId: "t2" });
      // What it would say without an answer is taken back.
      expect(await store.history(sessionId)).toEqual([
        { role: "user", turnId: "t1", content: "Pay!" },
      ]);

      await other.appendFrames(turn.lease, [chunk(turn.lease, 5, "Paid.")], {
        first: journal.length,
        entries: [{ type: "said", text: "Paid." }],
      });
      const messages = [...withoutAnswer("t1", ["c1", "c2"]), answer({ ...lease, turnId: "t1" })];
      await other.endTurn(turn.lease, { frames: [done(turn.lease, 6)], messages });
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 6 });
      expect(await store.history(sessionId)).toHaveLength(1 + messages.length);
      await endWell(store, await begin(store, sessionId, "t3"), 1);
    });

    it("takes one of many answers to a call", async () => {
      const { sessionId } = await aWaitingSession(store, "c1");
      const answers = await Promise.all(
        [store, other, store, other].map((each, at) =>
          each.answerCall(
            sessionId,
            OWNER,
            at % 2 === 0 ? approve("c1", `a${at}`) : deny("c1", `d${at}`),
          ),
        ),
      );
      expect(answers.map(({ status }) => status).toSorted()).toEqual([
        "not-open",
        "not-open",
        "not-open",
        "started",
      ]);
    });

    it("takes the same attempt again when its answer was lost", async () => {
      const { sessionId } = await aWaitingSession(store, "c1", "c2");
      const first = approve("c1", "one try");
      for (let times = 0; times < 2; times++) {
        expect(await store.answerCall(sessionId, OWNER, first)).toEqual({ status: "recorded" });
      }
      const last = approve("c2", "t2");
      const started = await store.answerCall(sessionId, OWNER, last);
      expect(started.status).toBe("started");
      expect(await store.answerCall(sessionId, OWNER, last)).toEqual(started);
      expect((await store.history(sessionId)).map(({ role }) => role)).toEqual(["user"]);
    });

    it("takes no answer to a call that does not wait", async () => {
      const fresh = await aSession(store);
      const notOpen = { status: "not-open" };
      expect(await store.answerCall(fresh, OWNER, approve("c1", "t2"))).toEqual(notOpen);
      const { sessionId } = await aWaitingSession(store, "c1");
      for (const id of ["c2", "C1", "c1 ", "a:c1", "seq"]) {
        expect(await store.answerCall(sessionId, OWNER, approve(id, "t2"))).toEqual(notOpen);
      }
      const { lease } = startedIn(await store.answerCall(sessionId, OWNER, approve("c1", "t2")));
      expect(await other.answerCall(sessionId, OWNER, approve("c1", "t3"))).toEqual(notOpen);
      await endWell(store, lease, 1);
      expect(await other.answerCall(sessionId, OWNER, approve("c1", "t4"))).toEqual(notOpen);
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 4 });
    });

    it("waits no more when a message comes, and remembers that the call was not made", async () => {
      const { sessionId } = await aWaitingSession(store, "c1", "c2");
      await store.answerCall(sessionId, OWNER, approve("c1", "a try"));
      const lease = await begin(other, sessionId, "t2", "m2");
      expect(await store.answerCall(sessionId, OWNER, approve("c2", "t3"))).toEqual({
        status: "not-open",
      });
      expect((await store.history(sessionId)).map(({ role }) => role)).toEqual([
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
      ]);
      await store.appendFrames(lease, [], { first: 0, entries: [{ type: "said", text: "hm" }] });
      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
      expect(await store.takeOver(sessionId, OWNER, "a claim")).toMatchObject({
        status: "taken",
        turn: { journal: [{ type: "said", text: "hm" }, { type: "taken-over" }], messageId: "m2" },
      });
    });

    it("gives the message that is sent again its first turn, and waits on", async () => {
      const { sessionId, requests } = await aWaitingSession(store, "c1");
      const turn = { turnId: "t9", messageId: "m1", userMessage: "Pay!" };
      expect(await store.beginTurn(sessionId, OWNER, turn)).toEqual({
        status: "repeated",
        turnId: "t1",
        seqBefore: 0,
        running: false,
      });
      expect((await store.find(sessionId, OWNER))?.waiting?.requests).toEqual(requests);
    });

    it("goes on in a turn that may be taken over, and that may wait again", async () => {
      const { sessionId, step } = await aWaitingSession(store, "c1");
      const begun = startedIn(await store.answerCall(sessionId, OWNER, approve("c1", "t2")));
      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
      const taken = await other.takeOver(sessionId, OWNER, "a claim");
      const entry = approve("c1", "t2").entry;
      const journal = [step, entry, { type: "went-on" }, { type: "taken-over" }];
      if (taken.status !== "taken") throw new Error(taken.status);
      expect(taken.turn).toEqual({
        ...begun,
        lease: { ...begun.lease, fence: begun.lease.fence + 1 },
        journal,
      });
      const { lease } = taken.turn;
      const second = stepOf("t2", ["c2"]);
      await other.appendFrames(lease, [], { first: journal.length, entries: [second] });
      await endWaiting(other, lease, [request(lease, 4, "c2")]);
      expect((await store.find(sessionId, OWNER))?.waiting?.requests).toMatchObject([
        { approval: { id: "c2" }, seq: 4 },
      ]);
      const third = startedIn(await store.answerCall(sessionId, OWNER, deny("c2", "t3")));
      expect(third).toMatchObject({ firstTurnId: "t1", userMessage: "Pay!" });
      expect(third.journal).toEqual([
        ...journal,
        second,
        deny("c2", "t3").entry,
        { type: "went-on" },
      ]);
      expect(await store.history(sessionId)).toHaveLength(1);
    });

    it("is unknown to others, and keeps waiting whatever they answer", async () => {
      const { sessionId, requests } = await aWaitingSession(store, "c1");
      for (const owner of ["a stranger", "", "nobody"]) {
        expect(await other.answerCall(sessionId, owner, approve("c1", "t2"))).toEqual({
          status: "unknown-session",
        });
        expect(await other.find(sessionId, owner)).toBeUndefined();
      }
      expect(await store.answerCall("no-such-session", OWNER, approve("c1", "t2"))).toEqual({
        status: "unknown-session",
      });
      expect((await store.find(sessionId, OWNER))?.waiting?.requests).toEqual(requests);
    });
  });
}
