import { describe, expect, it } from "vitest";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import type { LimitsConfig } from "../../agent-config/agent-config.ts";
import { createAgentMetrics } from "../contracts/agent-metrics.ts";
import { createLog } from "../../observability/log.ts";
import { createMetrics } from "../../observability/metrics.ts";
import type { TurnFrame } from "../../protocol/frames.ts";
import { CurrentStore } from "../sessions/current-store.ts";
import type { Handler, Turn } from "../contracts/handler.ts";
import { MAX_ANSWER_CHARACTERS, MAX_UNSTORED_CHARACTERS } from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { MemorySessionStore } from "../sessions/memory/memory-session-store.ts";
import {
  StoreUnavailableError,
  TurnLostError,
  type SessionStore,
} from "../sessions/session-store.ts";
import { SessionFeeds, type EncodedFrame } from "./session-feeds.ts";
import { TurnError } from "../contracts/turn-error.ts";
import { TurnRunner } from "./turn-runner.ts";
import { WritePace } from "./write-pace.ts";
import { OWNER, CLIENT } from "../sessions/contract/turns.ts";

const SESSION = "session-1";

/** A memory store whose writes a test can hold up or make fail. */
class FaultyStore extends MemorySessionStore {
  readonly calls: string[] = [];
  fail: ((operation: string) => Error | undefined) | undefined;
  hold: Promise<void> | undefined;
  /** Until this settles nobody learns that a turn was ended. */
  holdAnswer: Promise<void> | undefined;

  override async appendFrames(...args: Parameters<SessionStore["appendFrames"]>): Promise<void> {
    await this.#pass(`append ${args[1].map(({ seq }) => seq).join(",")}`);
    await super.appendFrames(...args);
  }

  override async history(...args: Parameters<SessionStore["history"]>): Promise<HistoryMessage[]> {
    await this.#pass("history");
    return super.history(...args);
  }

  override async endTurn(...args: Parameters<SessionStore["endTurn"]>): Promise<void> {
    await this.#pass(`end ${args[1].frames.map(({ seq }) => seq).join(",")}`);
    await super.endTurn(...args);
    await this.holdAnswer;
  }

  override async renewTurn(...args: Parameters<SessionStore["renewTurn"]>): Promise<void> {
    await this.#pass("renew");
    await super.renewTurn(...args);
  }

  async #pass(operation: string): Promise<void> {
    this.calls.push(operation);
    await this.hold;
    const error = this.fail?.(operation);
    if (error !== undefined) throw error;
  }
}

/** A runner of turns with the session `SESSION` and a client that follows it. */
async function aRunner() {
  const clock = new ManualClock();
  const store = new FaultyStore({ ttlMs: 3_600_000, clock });
  const stores = new CurrentStore(() => {});
  stores.replace(store);
  const feeds = new SessionFeeds();
  const delivered: TurnFrame[] = [];
  const failures: { error: { code: string; message: string } }[] = [];
  /** What a test sets, and what it looks at afterwards. */
  const state = {
    handle: (_turn: Turn): ReturnType<Handler["run"]> => Promise.reject(new Error("nothing to do")),
    limits: {} as LimitsConfig,
    room: undefined as PromiseWithResolvers<void> | undefined,
    logged: "",
    moved: 0,
    /** How many frames the client had at the begin of each turn. */
    sentBefore: [] as number[],
  };
  const handler: Handler = { run: (turn) => state.handle(turn) };
  const metrics = createMetrics({ processMetrics: false });
  const runner = new TurnRunner({
    feeds,
    clock,
    pace: new WritePace(clock),
    log: createLog({ destination: { write: (line) => void (state.logged += line) } }),
    metrics: createAgentMetrics(metrics, {
      connectionsActive: () => 0,
      sessionsActive: () => 0,
      requestsInflight: () => 0,
    }),
    handlers: { loaded: () => handler, load: () => Promise.resolve(handler) },
    config: () => anAgentConfig({ limits: state.limits }),
  });
  feeds.follow(SESSION, {
    deliver: (frames: readonly EncodedFrame[]) =>
      void delivered.push(...frames.map(({ frame }) => frame)),
    deliverFailure: (text) => void failures.push(JSON.parse(text) as (typeof failures)[number]),
    turnMoved: () => void state.moved++,
    whenWritable: () => state.room?.promise,
  });
  await store.create(SESSION, CLIENT);

  async function begin(content = "hello", sessionId = SESSION) {
    const use = stores.use();
    try {
      const message = {
        sessionId,
        client: { owner: OWNER },
        content,
        metadata: undefined,
        messageId: undefined,
      };
      return await runner.begin(message, use, () => void state.sentBefore.push(delivered.length));
    } finally {
      use.release();
    }
  }
  async function ask(handle: typeof state.handle): Promise<TurnFrame | undefined> {
    state.handle = handle;
    await begin();
    await runner.whenIdle();
    return delivered.at(-1);
  }
  return { clock, store, stores, feeds, runner, delivered, failures, state, metrics, begin, ask };
}

describe("frames", () => {
  it("are stored before anybody is sent them, and what comes meanwhile is stored together", async () => {
    const { store, state, begin, clock, delivered, runner } = await aRunner();
    const stored = Promise.withResolvers<void>();
    store.hold = stored.promise;
    state.handle = async (turn) => {
      for (const content of ["a", "b", "c"]) await turn.emit({ type: "chunk", content });
      return { finishReason: "stop" };
    };
    await begin();
    await clock.advance(0);
    expect(store.calls).toEqual(["append 1"]);
    expect(delivered).toEqual([]);
    stored.resolve();
    await runner.whenIdle();
    expect(store.calls).toEqual(["append 1", "append 2", "end 3"]);
    expect(delivered).toMatchObject([{ content: "a" }, { content: "bc" }, { type: "done" }]);
    expect(delivered.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(delivered.at(-1)).toMatchObject({ type: "done", content: "abc" });
  });

  it("of a turn are all sent before the next turn begins, however late the store says that it has ended", async () => {
    const { store, state, begin, clock, delivered, runner } = await aRunner();
    const answered = Promise.withResolvers<void>();
    store.holdAnswer = answered.promise;
    state.handle = (turn) => Promise.resolve({ content: turn.content, finishReason: "stop" });
    await begin("one");
    await clock.advance(0);
    expect(store.calls).toEqual(["end 1"]);
    const next = begin("two");
    await clock.advance(0);
    answered.resolve();
    expect(await next).toMatchObject({ status: "started" });
    await runner.whenIdle();
    expect(delivered.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(state.sentBefore).toEqual([0, 1]);
  });

  it("wait for the store when there are many of them", async () => {
    const { store, state, begin, clock, runner } = await aRunner();
    const stored = Promise.withResolvers<void>();
    store.hold = stored.promise;
    let emitted = 0;
    state.handle = async (turn) => {
      for (; emitted < 10; emitted++) {
        await turn.emit({ type: "chunk", content: "x".repeat(MAX_UNSTORED_CHARACTERS / 4) });
      }
      return { finishReason: "stop" };
    };
    await begin();
    await clock.advance(0);
    expect(emitted).toBeLessThan(7);
    stored.resolve();
    await runner.whenIdle();
    expect(emitted).toBe(10);
  });

  it("wait for a reader that is slow", async () => {
    const { state, begin, clock, runner } = await aRunner();
    state.room = Promise.withResolvers();
    let emitted = 0;
    state.handle = async (turn) => {
      for (; emitted < 5; emitted++) await turn.emit({ type: "chunk", content: "x" });
      return { finishReason: "stop" };
    };
    await begin();
    await clock.advance(0);
    expect(emitted).toBe(0);
    state.room.resolve();
    state.room = undefined;
    state.limits = {};
    await runner.whenIdle();
    expect(emitted).toBe(5);
  });

  it("of tools carry a result or an error, and nothing comes of an empty chunk", async () => {
    const { ask, delivered } = await aRunner();
    await ask(async (turn) => {
      await turn.emit({ type: "chunk", content: "" });
      await turn.emit({
        type: "tool-call",
        id: "1",
        name: "weather",
        arguments: { city: "Berlin" },
      });
      await turn.emit({ type: "tool-result", id: "1", result: { sun: true } });
      await turn.emit({ type: "tool-result", id: "2", error: "no such city" });
      await turn.emit({ type: "tool-result", id: "3" });
      return { finishReason: "tool_limit", usage: { input_tokens: 1, output_tokens: 2 } };
    });
    expect(delivered).toMatchObject([
      { type: "tool_call", tool_call: { id: "1", name: "weather", arguments: { city: "Berlin" } } },
      { type: "tool_result", tool_result: { id: "1", result: { sun: true } } },
      { type: "tool_result", tool_result: { id: "2", error: "no such city" } },
      { type: "tool_result", tool_result: { id: "3", result: null } },
      { type: "done", finish_reason: "tool_limit", usage: { input_tokens: 1, output_tokens: 2 } },
    ]);
  });
});

describe("the line of a turn in the log", () => {
  const linesOf = (logged: string): Record<string, unknown>[] =>
    logged
      .split("\n")
      .filter((line) => line.includes("A turn has ended"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it("says how it ended, how long it took and what it used, and nothing that was said", async () => {
    const { ask, state, clock } = await aRunner();
    await ask(async (turn) => {
      await clock.advance(20);
      await turn.emit({ type: "chunk", content: "private answer" });
      await turn.emit({ type: "tool-call", id: "1", name: "t", arguments: { city: "private" } });
      await turn.emit({ type: "tool-result", id: "1", result: "private" });
      await clock.advance(30);
      const usage = { input_tokens: 3, output_tokens: 4 };
      return { finishReason: "stop", usage, content: "private answer" };
    });
    expect(linesOf(state.logged)).toEqual([
      {
        level: "info",
        time: expect.any(String),
        sessionId: SESSION,
        turnId: expect.any(String),
        handler: "echo",
        outcome: "success",
        finishReason: "stop",
        durationMs: 50,
        firstChunkMs: 20,
        inputTokens: 3,
        outputTokens: 4,
        toolCalls: 1,
        msg: "A turn has ended",
      },
    ]);
    expect(state.logged).not.toContain("private");
    expect(state.logged).not.toContain("hello");
  });

  it("is one for each turn, whichever way it ends", async () => {
    const { ask, begin, state, runner, store, metrics } = await aRunner();
    await ask(() => Promise.reject(new TurnError("PROVIDER_ERROR", "private reason")));
    state.handle = (turn) =>
      new Promise((resolve) => {
        turn.signal.addEventListener("abort", () => resolve({ finishReason: "stop" }));
      });
    await begin();
    runner.cancel(SESSION);
    await runner.whenIdle();
    store.fail = (operation) => (operation.startsWith("end") ? new TurnLostError() : undefined);
    await ask(() => Promise.resolve({ finishReason: "stop", content: "x" }));
    const lines = linesOf(state.logged);
    expect(lines).toMatchObject([
      { outcome: "error", code: "PROVIDER_ERROR", toolCalls: 0 },
      { outcome: "cancelled", finishReason: "cancelled" },
      { outcome: "moved" },
    ]);
    expect(JSON.stringify(lines)).not.toContain("private");
    // The one that moved is counted where it ends: a rollout is no row of errors.
    const counted = (await metrics.text()).match(/^omnia_agent_requests_total\{.*$/gm) ?? [];
    expect(counted.map((line) => line.replace(/.*status="(\w+)".* (\d+)$/, "$1 $2"))).toEqual([
      "error 1",
      "cancelled 1",
    ]);
    expect(await metrics.text()).toMatch(/^omnia_agent_request_duration_seconds_count(\{\})? 2$/m);
  });
});

describe("the history", () => {
  it("holds what was asked and answered, but not of the turn that asks for it", async () => {
    const { ask, store } = await aRunner();
    await ask(async () => ({ content: "first answer", finishReason: "stop" }));
    let seen: unknown;
    await ask(async (turn) => {
      seen = await turn.history();
      await turn.emit({ type: "chunk", content: "second answer" });
      return { finishReason: "stop" };
    });
    expect(seen).toMatchObject([
      { role: "user", content: "hello" },
      { role: "assistant", content: "first answer" },
    ]);
    expect(await store.history(SESSION)).toMatchObject([
      {},
      {},
      {},
      { role: "assistant", content: "second answer" },
    ]);
  });

  it("does not hold twice what the handler recorded", async () => {
    const { ask, store, delivered } = await aRunner();
    await ask(async (turn) => {
      await turn.emit({ type: "chunk", content: "looking" });
      turn.record({
        role: "assistant",
        turnId: turn.id,
        content: "looking",
        toolCalls: [{ id: "1", name: "weather", arguments: {} }],
      });
      turn.record({
        role: "tool",
        turnId: turn.id,
        toolCallId: "1",
        toolName: "weather",
        result: 1,
      });
      await turn.emit({ type: "chunk", content: "sunny" });
      turn.record({ role: "assistant", turnId: turn.id, content: "sunny" });
      return { finishReason: "stop" };
    });
    const messages = await store.history(SESSION);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
    expect(delivered.at(-1)).toMatchObject({ content: "lookingsunny" });
  });

  it("marks an answer that was cut as partial, and closes the calls that were open", async () => {
    const { state, begin, runner, store } = await aRunner();
    state.handle = async (turn) => {
      turn.record({
        role: "assistant",
        turnId: turn.id,
        content: "",
        toolCalls: [{ id: "1", name: "weather", arguments: {} }],
      });
      await turn.emit({ type: "chunk", content: "so far" });
      throw new Error("a bug");
    };
    await begin();
    await runner.whenIdle();
    expect(await store.history(SESSION)).toMatchObject([
      { role: "user" },
      { role: "assistant", toolCalls: [{ id: "1" }] },
      { role: "tool", toolCallId: "1", error: expect.any(String) },
      { role: "assistant", content: "so far", partial: true },
    ]);
  });
});

describe("a turn that fails", () => {
  it("tells the client what a TurnError says", async () => {
    const { ask } = await aRunner();
    const last = await ask(async () => {
      throw new TurnError("PROVIDER_ERROR", "The provider is busy.", {
        details: { retry_after: 7 },
      });
    });
    expect(last).toMatchObject({
      type: "error",
      seq: 1,
      error: {
        code: "PROVIDER_ERROR",
        message: "The provider is busy.",
        details: { retry_after: 7 },
      },
    });
  });

  it("tells the client nothing of any other error, and the log all of it", async () => {
    const { ask, state } = await aRunner();
    const last = await ask(async () => {
      throw new Error("no route to 10.0.0.7");
    });
    expect(last).toMatchObject({ type: "error", error: { code: "INTERNAL_ERROR" } });
    expect(JSON.stringify(last)).not.toContain("10.0.0.7");
    expect(state.logged).toContain("10.0.0.7");
  });

  it("leaves the session as it should be for the next one", async () => {
    const { ask } = await aRunner();
    await ask(async () => {
      throw new TurnError("PROVIDER_ERROR", "no");
    });
    expect(await ask(async () => ({ content: "fine", finishReason: "stop" }))).toMatchObject({
      type: "done",
      seq: 2,
    });
  });
});

describe("a turn that is cancelled", () => {
  it("ends at once where the handler listens", async () => {
    const { state, clock, begin, runner, delivered, store } = await aRunner();
    state.handle = async (turn) => {
      await turn.emit({ type: "chunk", content: "so far" });
      await clock.sleep(60_000, turn.signal);
      return { finishReason: "stop" };
    };
    await begin();
    await clock.advance(0);
    expect(runner.cancel(SESSION)).toBe(true);
    await runner.whenIdle();
    expect(delivered.at(-1)).toMatchObject({
      type: "done",
      finish_reason: "cancelled",
      content: "so far",
    });
    expect(await store.history(SESSION)).toMatchObject([{}, { content: "so far", partial: true }]);
    expect(runner.cancel(SESSION)).toBe(false);
  });

  it("ends a little later where the handler does not, which is not heard any more", async () => {
    const { state, clock, begin, runner, delivered } = await aRunner();
    let late: Promise<void> | undefined;
    state.handle = async (turn) => {
      await clock.sleep(60_000);
      late = turn.emit({ type: "chunk", content: "too late" });
      return { finishReason: "stop" };
    };
    await begin();
    runner.cancel(SESSION);
    await clock.advance(2_000);
    await runner.whenIdle();
    expect(delivered).toMatchObject([{ type: "done", finish_reason: "cancelled", content: "" }]);
    await clock.advance(60_000);
    await expect(late).rejects.toThrow("cancelled");
    expect(delivered).toHaveLength(1);
  });

  it("is let go of by a reader that is slow", async () => {
    const { state, begin, clock, runner, delivered } = await aRunner();
    state.room = Promise.withResolvers();
    state.handle = async (turn) => {
      for (;;) await turn.emit({ type: "chunk", content: "x" });
    };
    await begin();
    await clock.advance(0);
    runner.cancel(SESSION);
    await runner.whenIdle();
    expect(delivered.at(-1)).toMatchObject({ finish_reason: "cancelled", content: "x" });
  });
});

describe("limits", () => {
  it("end an answer that is far too long, with what there is of it", async () => {
    const { ask } = await aRunner();
    const last = await ask(async (turn) => {
      for (;;) await turn.emit({ type: "chunk", content: "x".repeat(1024 * 1024) });
    });
    expect(last).toMatchObject({ type: "done", finish_reason: "length" });
    expect((last as { content: string }).content.length).toBeGreaterThan(MAX_ANSWER_CHARACTERS);
  });

  it("refuse a turn over the number that one replica runs", async () => {
    const { state, clock, store, begin, runner } = await aRunner();
    state.handle = (turn) =>
      clock.sleep(60_000, turn.signal).then(() => ({ finishReason: "stop" as const }));
    state.limits = { maxTurnsInFlight: 3, maxQueuedTurns: 0 };
    for (let count = 0; count < 3; count++) {
      await store.create(`other-${count}`, CLIENT);
      await begin("hello", `other-${count}`);
    }
    await expect(begin()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      details: { retry_after: 1 },
    });
    runner.cancel("other-0");
    await expect.poll(() => runner.inFlight).toBe(2);
    expect(await begin()).toMatchObject({ status: "started" });
    runner.stopAll("shutting-down");
    await runner.whenIdle();
  });

  it("end a turn whose handler gives no sign of life, however long one that does may take", async () => {
    const { state, clock, begin, runner, delivered } = await aRunner();
    state.handle = async (turn) => {
      for (let minute = 0; minute < 30; minute++) {
        await clock.sleep(60_000, turn.signal);
        await turn.emit({ type: "chunk", content: "." });
      }
      await clock.sleep(3_600_000, turn.signal);
      return { finishReason: "stop" };
    };
    await begin();
    await clock.advance(39 * 60_000);
    expect(runner.inFlight).toBe(1);
    await clock.advance(2 * 60_000);
    await runner.whenIdle();
    expect(delivered.at(-1)).toMatchObject({ type: "error", error: { code: "INTERNAL_ERROR" } });
  });
});

describe("the lease of a turn", () => {
  it("is renewed for as long as the turn runs, and no longer", async () => {
    const { state, clock, begin, store, runner } = await aRunner();
    state.handle = (turn) =>
      clock.sleep(60_000, turn.signal).then(() => ({ finishReason: "stop" as const }));
    await begin();
    await clock.advance(59_000);
    expect(store.calls.filter((call) => call === "renew").length).toBeGreaterThan(8);
    await clock.advance(2_000);
    await runner.whenIdle();
    const calls = store.calls.length;
    await clock.advance(60_000);
    expect(store.calls).toHaveLength(calls);
    expect(clock.pendingTimers).toBeLessThanOrEqual(2);
  });

  it("ends the turn where it was lost to another replica, nothing more is written, and followers look there", async () => {
    const { state, clock, begin, store, runner, failures } = await aRunner();
    state.handle = (turn) =>
      clock.sleep(60_000, turn.signal).then(() => ({ finishReason: "stop" as const }));
    await begin();
    store.fail = () => new TurnLostError("another's");
    await clock.advance(6_000);
    await runner.whenIdle();
    expect(failures).toEqual([]);
    expect(state.moved).toBe(1);
    expect(store.calls).toEqual(["renew"]);
  });
});

describe("a store that does not answer", () => {
  const away = () => new StoreUnavailableError("connect ECONNREFUSED 10.0.0.7");

  it("is asked again for a while, and the turn goes on", async () => {
    const { store, state, begin, clock, delivered, runner, failures } = await aRunner();
    store.fail = away;
    state.handle = async (turn) => {
      await turn.emit({ type: "chunk", content: "a" });
      return { finishReason: "stop" };
    };
    await begin();
    await clock.advance(1_000);
    expect(delivered).toEqual([]);
    store.fail = undefined;
    await clock.advance(1_000);
    await runner.whenIdle();
    expect(delivered).toMatchObject([
      { seq: 1, content: "a" },
      { seq: 2, type: "done" },
    ]);
    expect(failures).toEqual([]);
  });

  it("is asked again for the history, too", async () => {
    const { store, state, begin, clock, delivered, runner, failures } = await aRunner();
    store.fail = (operation) => (operation === "history" ? away() : undefined);
    state.handle = async (turn) => {
      const seen = await turn.history();
      return { content: `after ${seen.length} messages`, finishReason: "stop" };
    };
    await begin();
    await clock.advance(1_000);
    expect(delivered).toEqual([]);
    store.fail = undefined;
    await clock.advance(1_000);
    await runner.whenIdle();
    expect(delivered).toMatchObject([{ seq: 1, type: "done", content: "after 0 messages" }]);
    expect(failures).toEqual([]);
  });

  it("ends the turn with UNAVAILABLE when it stays away, and is given the end when it is back", async () => {
    const { store, state, clock, begin, failures, runner } = await aRunner();
    store.fail = away;
    state.handle = async (turn) => {
      await turn.emit({ type: "chunk", content: "a" });
      await clock.sleep(60_000, turn.signal);
      return { finishReason: "stop" };
    };
    await begin();
    await clock.advance(8_000);
    expect(failures).toMatchObject([{ error: { code: "UNAVAILABLE" } }]);
    expect(JSON.stringify(failures)).not.toContain("10.0.0.7");
    store.fail = undefined;
    await clock.advance(8_000);
    await runner.whenIdle();
    expect(await store.history(SESSION)).toMatchObject([{}, { content: "a", partial: true }]);
    expect(await store.find(SESSION, OWNER)).toEqual({ lastSeq: 2 });
  });

  it("at the end of a turn makes the answer late, or lost", async () => {
    const { store, state, begin, clock, runner, delivered, failures } = await aRunner();
    store.fail = (operation) => (operation.startsWith("end") ? away() : undefined);
    state.handle = async () => ({ content: "an answer", finishReason: "stop" });
    await begin();
    await clock.advance(10_000);
    await runner.whenIdle();
    expect(delivered).toEqual([]);
    expect(failures).toMatchObject([{ error: { code: "UNAVAILABLE" } }]);
  });
});

describe("an agent that shuts down", () => {
  it("takes no more turns, and ends those that run with a word on what to do", async () => {
    const { state, clock, begin, runner, store, delivered } = await aRunner();
    state.handle = (turn) =>
      clock.sleep(60_000, turn.signal).then(() => ({ finishReason: "stop" as const }));
    await begin();
    runner.refuseNewTurns();
    await store.create("other", CLIENT);
    await expect(begin("hello", "other")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    runner.stopAll("shutting-down");
    await runner.whenIdle();
    expect(delivered.at(-1)).toMatchObject({ type: "error", error: { code: "UNAVAILABLE" } });
  });
});
