/** What every session store must tell of one session to those who look into it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TURN_LEASE_MS, type NewTurn, type SessionStore } from "../session-store.ts";
import { MAX_RECORDED_CALLS, MAX_TURN_RECORDS } from "../turn-record.ts";
import { approve, aWaitingSession } from "./session-approvals.contract.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import {
  aRecord,
  aRecordedTurn,
  aSession,
  aTurn,
  begin,
  chunk,
  done,
  endWell,
  OWNER,
} from "./turns.ts";

export function describeSessionTimelines(open: OpenSubject): void {
  describe("the timeline of a session", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    it("is unknown where the session is", async () => {
      for (const id of ["unknown", "", "a}b", "x".repeat(5_000), "é"]) {
        expect(await store.timeline(id)).toBeUndefined();
      }
    });

    it("has what was said, what is remembered of each turn, and which frames are kept", async () => {
      const sessionId = await aSession(store);
      const first = {
        messageId: "m1",
        firstChunkAt: 1_700_000_000_500,
        packVersion: "v1",
        model: "a-model",
        warnings: [{ validator: "banned_words", message: "no" }],
        workflowState: "asked",
        calls: [
          { id: "c1", name: "weather", startedAt: 1, ms: 7, outcome: "ok" },
          { id: "c2", name: "map", startedAt: 2, ms: 9, outcome: "error", parent: "c1" },
        ],
      } as const;
      await aRecordedTurn(store, sessionId, "t1", {
        ...first,
        calls: [...first.calls],
        warnings: [...first.warnings],
      });
      const error = { code: "PROVIDER_ERROR", message: "no" };
      await aRecordedTurn(store, sessionId, "t2", { error, finishReason: undefined });
      const timeline = await other.timeline(sessionId);
      expect(timeline).toMatchObject({
        session: { id: sessionId, turns: 2, toolCalls: 2, state: "failed" },
        turns: [
          aRecord("t1", { ...first, calls: [...first.calls], warnings: [...first.warnings] }),
          { turnId: "t2", error },
        ],
        lastSeq: 2,
        keptAfter: 0,
        unreadable: [],
      });
      expect(timeline?.messages).toEqual(await store.history(sessionId));
    });

    it("has the turn that runs, with calls that run and calls that nobody knows of", async () => {
      const sessionId = await aSession(store);
      await aRecordedTurn(store, sessionId, "t1");
      const turn: NewTurn = {
        turnId: "t2",
        messageId: "m2",
        userMessage: "?",
        origin: { handler: "runtime", startedAt: 1_000, replica: "one", model: "a-model" },
      };
      const begun = await store.beginTurn(sessionId, OWNER, turn);
      if (begun.status !== "started") throw new Error(begun.status);
      const { lease } = begun;
      const call = { type: "call-started", name: "weather" } as const;
      const outcome = { role: "tool", turnId: "t2", toolName: "weather" } as const;
      await store.appendFrames(lease, [chunk(lease, 2, "a")], {
        first: 0,
        entries: [
          { type: "said", text: "a", at: 1_050 },
          { type: "said", text: "b" },
          {
            type: "step",
            message: { role: "assistant", turnId: "t2", content: "ab", toolCalls: [] },
            usage: { input_tokens: 5, output_tokens: 6 },
          },
          { ...call, id: "c1", at: 1_100 },
          { ...call, id: "c2", at: 1_110, parent: "c1" },
          { ...call, id: "c3", at: 1_120 },
          { type: "call-done", message: { ...outcome, toolCallId: "c1", result: 1 }, at: 1_150 },
          { type: "call-done", message: { ...outcome, toolCallId: "c2", error: "no" }, at: 1_160 },
        ],
      });
      const [c1, c2, c3] = [
        { id: "c1", name: "weather", startedAt: 1_100, ms: 50, outcome: "ok" },
        { id: "c2", name: "weather", startedAt: 1_110, ms: 50, outcome: "error", parent: "c1" },
        { id: "c3", name: "weather", startedAt: 1_120, outcome: "running" },
      ];
      const running = {
        turnId: "t2",
        messageId: "m2",
        startedAt: 1_000,
        firstChunkAt: 1_050,
        model: "a-model",
        replicas: ["one"],
        usage: { input_tokens: 5, output_tokens: 6 },
        calls: [c1, c2, c3],
      };
      const timeline = await other.timeline(sessionId);
      expect(timeline?.turns).toEqual([aRecord("t1"), running]);
      expect(timeline?.session.state).toBe("running");
      expect(timeline?.messages.at(-1)).toMatchObject({ role: "user", turnId: "t2" });

      await subject.passTime(sessionId, TURN_LEASE_MS + 1);
      await other.takeOver(sessionId, OWNER, "a claim", "two");
      expect((await store.timeline(sessionId))?.turns.at(-1)).toEqual({
        ...running,
        replicas: ["one", "two"],
        calls: [c1, c2, { ...c3, outcome: "unknown" }],
      });
    });

    it("has the turn that goes on after an approval as a turn of its own", async () => {
      const { sessionId } = await aWaitingSession(store, "c1");
      expect((await store.timeline(sessionId))?.session.state).toBe("waiting");
      const answered = { ...approve("c1", "t2"), at: 5_000, replica: "two" };
      const started = await other.answerCall(sessionId, OWNER, answered);
      expect((await store.timeline(sessionId))?.turns).toEqual([
        {
          turnId: "t2",
          firstTurnId: "t1",
          startedAt: 5_000,
          replicas: ["two"],
          packVersion: "one",
          calls: [],
        },
      ]);
      if (started.status !== "started") throw new Error(started.status);
      const { lease } = started.turn;
      const record = aRecord("t2", { firstTurnId: "t1" });
      await other.endTurn(lease, {
        frames: [done(lease, lease.seqBefore + 1)],
        messages: [],
        record,
      });
      expect((await store.timeline(sessionId))?.turns).toEqual([record]);
    });

    it("remembers the newest thousand turns, and counts them all", async () => {
      const sessionId = await aSession(store);
      for (let turn = 1; turn <= MAX_TURN_RECORDS + 5; turn++) {
        await aRecordedTurn(store, sessionId, `t${turn}`);
      }
      const timeline = await store.timeline(sessionId);
      expect(timeline?.turns).toHaveLength(MAX_TURN_RECORDS);
      expect(timeline?.turns[0]?.turnId).toBe("t6");
      expect(timeline?.session.turns).toBe(MAX_TURN_RECORDS + 5);
    });

    it("remembers fewer turns when they take much, and always the last one", async () => {
      const sessionId = await aSession(store);
      const call = {
        id: "x".repeat(256),
        name: "y".repeat(200),
        startedAt: 1,
        outcome: "ok",
      } as const;
      const calls = Array.from({ length: MAX_RECORDED_CALLS }, () => call);
      for (let turn = 1; turn <= 20; turn++) {
        await aRecordedTurn(store, sessionId, `t${turn}`, { calls });
      }
      const turns = (await store.timeline(sessionId))?.turns ?? [];
      expect(turns.length).toBeLessThan(10);
      expect(turns.length).toBeGreaterThan(3);
      expect(turns.at(-1)?.turnId).toBe("t20");
      const huge = [{ ...call, name: "z".repeat(2 * 1024 * 1024) }];
      await aRecordedTurn(store, sessionId, "t21", { calls: huge });
      expect((await store.timeline(sessionId))?.turns.map(({ turnId }) => turnId)).toEqual(["t21"]);
    });

    it("says which frames are no longer kept", async () => {
      const sessionId = await aSession(store);
      await aTurn(store, sessionId, "t1", 2);
      await subject.passTime(sessionId, 11 * 60_000);
      await aTurn(store, sessionId, "t2", 1);
      expect(await store.timeline(sessionId)).toMatchObject({ lastSeq: 5, keptAfter: 3 });
      const lease = await begin(store, sessionId, "t3");
      const big = "x".repeat(1_500_000);
      await store.appendFrames(lease, [chunk(lease, 6, big), chunk(lease, 7, big)]);
      await endWell(store, lease, 3);
      expect(await store.timeline(sessionId)).toMatchObject({ lastSeq: 8, keptAfter: 6 });
      await subject.passTime(sessionId, 11 * 60_000);
      expect(await store.timeline(sessionId)).toMatchObject({ lastSeq: 8, keptAfter: 8 });
    });
  });
}
