/** Turns that were begun elsewhere, and what a running turn writes for those who may have to go on with it. */
import { describe, expect, it } from "vitest";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { createAgentMetrics } from "../contracts/agent-metrics.ts";
import { createLog } from "../../observability/log.ts";
import { createMetrics } from "../../observability/metrics.ts";
import type { TurnFrame } from "../../protocol/frames.ts";
import { CurrentStore } from "../sessions/current-store.ts";
import type { Handler, Turn } from "../contracts/handler.ts";
import { MemorySessionStore } from "../sessions/memory/memory-session-store.ts";
import { TURN_LEASE_MS, type SessionStore } from "../sessions/session-store.ts";
import type { JournalEntry } from "../sessions/turn-journal.ts";
import { OUTCOME_NOT_KNOWN } from "../sessions/unended-record.ts";
import { SessionFeeds } from "./session-feeds.ts";
import { TurnRunner } from "./turn-runner.ts";
import { WritePace } from "./write-pace.ts";
import { OWNER, CLIENT } from "../sessions/contract/turns.ts";

const SESSION = "session-1";

/** Keeps what each write held. */
class WatchedStore extends MemorySessionStore {
  readonly writes: string[][] = [];

  override async appendFrames(...args: Parameters<SessionStore["appendFrames"]>): Promise<void> {
    const [, frames, journal] = args;
    this.writes.push([
      ...frames.map(({ type }) => type),
      ...(journal?.entries ?? []).map((entry) =>
        entry.type === "said" ? `says ${entry.text}` : entry.type,
      ),
    ]);
    await super.appendFrames(...args);
  }
}

/** A runner of turns, and what was delivered of its session to one who follows it. */
async function aRunner() {
  const clock = new ManualClock();
  const store = new WatchedStore({ ttlMs: 3_600_000, clock });
  const stores = new CurrentStore(() => {});
  stores.replace(store);
  const delivered: TurnFrame[] = [];
  const feeds = new SessionFeeds();
  feeds.follow(SESSION, {
    deliver: (frames) => void delivered.push(...frames.map(({ frame }) => frame)),
    deliverFailure: (text) => expect.fail(text),
    turnMoved: () => {},
    whenWritable: () => undefined,
  });
  const running: { handler: Handler } = {
    handler: { run: () => Promise.reject(new Error("nothing to do")) },
  };
  const runner = new TurnRunner({
    feeds,
    clock,
    pace: new WritePace(clock),
    log: createLog({ level: "silent" }),
    metrics: createAgentMetrics(createMetrics({ processMetrics: false }), {
      connectionsActive: () => 0,
      sessionsActive: () => 0,
      requestsInflight: () => 0,
    }),
    handlers: { loaded: () => running.handler, load: () => Promise.resolve(running.handler) },
    config: () => anAgentConfig(),
  });
  await store.create(SESSION, CLIENT);

  function handle(
    run: (turn: Turn) => ReturnType<Handler["run"]>,
    more: Partial<Handler> = {},
  ): void {
    running.handler = { run, ...more };
  }
  async function begin(content = "hello") {
    const use = stores.use();
    const message = {
      sessionId: SESSION,
      client: { owner: OWNER },
      content,
      metadata: { a: 1 },
      messageId: undefined,
    };
    return runner.begin(message, use, () => {}).finally(() => use.release());
  }

  async function recover() {
    const use = stores.use();
    const outcome = await runner
      .recover(SESSION, { owner: OWNER }, use)
      .finally(() => use.release());
    await runner.whenIdle();
    return outcome;
  }

  /** A turn of a process that is gone. */
  async function anAbandonedTurn(...entries: JournalEntry[]): Promise<void> {
    const origin = { handler: "demo", metadata: { channel: "web" } };
    const turn = { turnId: "t1", messageId: "m1", userMessage: "hello", origin };
    const begun = await store.beginTurn(SESSION, OWNER, turn);
    if (begun.status !== "started") throw new Error(begun.status);
    const { lease } = begun;
    const frames = entries.flatMap((entry) => (entry.type === "said" ? entry.text : []));
    await store.appendFrames(
      lease,
      frames.map((content, at) => ({
        type: "chunk",
        session_id: SESSION,
        turn_id: "t1",
        seq: at + 1,
        timestamp: "2026-01-01T00:00:00.000Z",
        content,
      })),
      { first: 0, entries },
    );
    await clock.advance(TURN_LEASE_MS + 1);
  }

  return { clock, store, stores, runner, delivered, handle, begin, recover, anAbandonedTurn };
}

describe("the journal of a turn", () => {
  it("costs a turn that says nothing no write", async () => {
    const { handle, begin, runner, store } = await aRunner();
    handle(async (turn) => ({ content: turn.content, finishReason: "stop" }));
    await begin();
    await runner.whenIdle();
    expect(store.writes).toEqual([]);
  });

  it("is written with the frames: the calls of a step in one go, and each outcome with its result", async () => {
    const { handle, begin, runner, store, delivered } = await aRunner();
    handle(async (turn) => {
      await turn.emit({ type: "chunk", content: "Let me " });
      await turn.emit({ type: "chunk", content: "see." });
      const calls = ["a", "b"].map((id) => ({ id, name: "pay", arguments: {} }));
      const answer = { role: "assistant", turnId: turn.id, content: "Let me see." } as const;
      turn.record({ ...answer, toolCalls: calls });
      await Promise.all(calls.map((call) => turn.emit({ type: "tool-call", ...call })));
      await turn.stored();
      for (const { id } of calls) await turn.emit({ type: "tool-result", id, result: 1 });
      for (const { id, name } of calls) {
        turn.record({ role: "tool", turnId: turn.id, toolCallId: id, toolName: name, result: 1 });
      }
      await turn.stored();
      turn.record({ role: "assistant", turnId: turn.id, content: "" });
      return { finishReason: "stop" };
    });
    await begin();
    await runner.whenIdle();
    const all = store.writes.flat();
    expect(all.filter((entry) => entry.startsWith("says"))).toEqual(["says Let me ", "says see."]);
    const inOneGo = ["tool_call", "tool_call", "step", "call-started", "call-started"];
    expect(store.writes.find((write) => write.includes("tool_call"))).toEqual(
      expect.arrayContaining(inOneGo),
    );
    expect(all.filter((entry) => entry === "call-started")).toHaveLength(2);
    expect(all.filter((entry) => entry === "call-done")).toHaveLength(2);
    expect(delivered.at(-1)).toMatchObject({ type: "done", content: "Let me see." });
  });

  it("is waited for, and a turn that is stopped meanwhile does not go on", async () => {
    const { handle, runner, begin, delivered } = await aRunner();
    const reached: string[] = [];
    handle(async (turn) => {
      await turn.emit({ type: "tool-call", id: "a", name: "pay", arguments: {} });
      runner.cancel(SESSION);
      await turn.stored().catch(() => reached.push("stopped"));
      reached.push("past it");
      return { finishReason: "stop" };
    });
    await begin();
    await runner.whenIdle();
    expect(reached).toEqual(["stopped", "past it"]);
    expect(delivered.at(-1)).toMatchObject({ type: "done", finish_reason: "cancelled" });
  });
});

describe("a turn that was abandoned", () => {
  it("goes on with what it was begun with, and its frames are one answer", async () => {
    const { anAbandonedTurn, handle, recover, delivered, store } = await aRunner();
    await anAbandonedTurn({ type: "said", text: "It " }, { type: "said", text: "is " });
    let seen: unknown;
    handle(async (turn) => {
      const { id, content, metadata, config: ofTurn, earlier } = turn;
      seen = { id, content, metadata, handler: ofTurn.handler, said: earlier?.said };
      await turn.emit({ type: "chunk", content: "well." });
      return { finishReason: "stop" };
    });
    expect(await recover()).toBe("running");
    expect(seen).toEqual({
      id: "t1",
      content: "hello",
      metadata: { channel: "web" },
      handler: "demo",
      said: "It is ",
    });
    expect(delivered).toMatchObject([
      { type: "chunk", turn_id: "t1", seq: 3, content: "well." },
      { type: "done", turn_id: "t1", seq: 4, content: "It is well.", message_id: "m1" },
    ]);
    expect(await store.history(SESSION)).toMatchObject([
      { role: "user" },
      { role: "assistant", content: "It is well." },
    ]);
  });

  it("goes on for the client who asked for it, who has the session", async () => {
    const { anAbandonedTurn, handle, stores, runner } = await aRunner();
    await anAbandonedTurn();
    let callerSubject: string | undefined;
    handle(async (turn) => {
      ({ callerSubject } = turn);
      return { content: "fine", finishReason: "stop" };
    });
    const use = stores.use();
    await runner.recover(SESSION, { owner: OWNER, callerSubject: "alice" }, use);
    use.release();
    await runner.whenIdle();
    expect(callerSubject).toBe("alice");
  });

  it("is seen to before another message's turn begins, which is refused while it goes on", async () => {
    const { anAbandonedTurn, handle, clock, begin, runner } = await aRunner();
    await anAbandonedTurn();
    handle((turn) => clock.sleep(1_000, turn.signal).then(() => ({ finishReason: "stop" })));
    expect(await begin("next")).toEqual({ status: "in-progress", turnId: "t1" });
    await clock.advance(1_000);
    await runner.whenIdle();
    expect(await begin("next")).toMatchObject({ status: "started" });
  });

  it("is ended before another message's turn begins, when a call is in doubt", async () => {
    const { anAbandonedTurn, handle, begin, runner, delivered } = await aRunner();
    await anAbandonedTurn({ type: "call-started", id: "c1", name: "pay" });
    handle(async () => ({ content: "fine", finishReason: "stop" }));
    expect(await begin("next")).toMatchObject({ status: "started" });
    await runner.whenIdle();
    expect(delivered).toMatchObject([
      { type: "tool_result", turn_id: "t1", tool_result: { id: "c1" } },
      { type: "error", turn_id: "t1", error: { code: "TOOL_ERROR" } },
      { type: "done", content: "fine" },
    ]);
  });

  it("is ended all the same when another replica died in the middle of that, and nothing is told twice", async () => {
    const { anAbandonedTurn, handle, recover, delivered } = await aRunner();
    const told = { role: "tool", turnId: "t1", toolCallId: "c1", toolName: "pay" } as const;
    await anAbandonedTurn(
      { type: "call-started", id: "c1", name: "pay" },
      { type: "call-done", message: { ...told, error: OUTCOME_NOT_KNOWN } },
    );
    handle(() => expect.unreachable("the turn goes on"));
    expect(await recover()).toBe("ended");
    expect(delivered).toMatchObject([
      {
        type: "error",
        turn_id: "t1",
        error: { code: "TOOL_ERROR", details: { tool_calls: [{ id: "c1" }] } },
      },
    ]);
  });

  it("ends with an error when its handler cannot be had", async () => {
    const { anAbandonedTurn, handle, recover, delivered } = await aRunner();
    await anAbandonedTurn();
    handle(() => Promise.reject(new Error("no such thing")));
    await recover();
    expect(delivered).toMatchObject([{ type: "error", turn_id: "t1", seq: 1 }]);
  });

  it("is left alone by a replica that shuts down, and by one that runs it", async () => {
    const { handle, clock, begin, stores, runner, store } = await aRunner();
    handle((turn) => clock.sleep(60_000, turn.signal).then(() => ({ finishReason: "stop" })));
    await begin();
    const use = stores.use();
    expect(await runner.recover(SESSION, { owner: OWNER }, use)).toBe("running");
    expect(runner.inFlight).toBe(1);
    runner.refuseNewTurns();
    await store.create("other", CLIENT);
    await expect(runner.recover("other", { owner: OWNER }, use)).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    use.release();
    runner.stopAll("cancelled");
    await clock.advance(10);
    await runner.whenIdle();
  });
});
