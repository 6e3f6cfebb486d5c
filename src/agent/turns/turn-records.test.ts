/** What is remembered of a turn, as its session's timeline tells it, and what becomes of a turn whose session is deleted. */
import { describe, expect, it } from "vitest";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { createLog } from "../../observability/log.ts";
import { createMetrics } from "../../observability/metrics.ts";
import { createAgentMetrics } from "../contracts/agent-metrics.ts";
import type { Handler, Turn } from "../contracts/handler.ts";
import { TurnError } from "../contracts/turn-error.ts";
import { CLIENT, OWNER } from "../sessions/contract/turns.ts";
import { CurrentStore } from "../sessions/current-store.ts";
import { MemorySessionStore } from "../sessions/memory/memory-session-store.ts";
import { TURN_LEASE_MS } from "../sessions/session-store.ts";
import type { TurnRecord } from "../sessions/turn-record.ts";
import { SessionFeeds } from "./session-feeds.ts";
import { TurnRunner } from "./turn-runner.ts";
import { WritePace } from "./write-pace.ts";

const SESSION = "session-1";
const PROVIDER = { name: "openai", model: "", apiKeyFile: "key" } as NonNullable<
  AgentConfig["provider"]
>;

/** A replica with a session that somebody follows. */
async function aReplica(config: Partial<AgentConfig> = {}) {
  const clock = new ManualClock(1_000_000);
  const store = new MemorySessionStore({ ttlMs: 3_600_000, clock });
  const stores = new CurrentStore(() => {});
  stores.replace(store);
  const failures: { type: string; error: { code: string; message: string } }[] = [];
  const feeds = new SessionFeeds();
  let moved = 0;
  feeds.follow(SESSION, {
    deliver: () => {},
    deliverFailure: (text) => void failures.push(JSON.parse(text) as (typeof failures)[number]),
    turnMoved: () => void moved++,
    whenWritable: () => undefined,
  });
  const running: { handler: Handler } = { handler: { run: () => Promise.reject(new Error("no")) } };
  const runner = new TurnRunner({
    feeds,
    clock,
    pace: new WritePace(clock),
    replica: "replica-1",
    log: createLog({ level: "silent" }),
    metrics: createAgentMetrics(createMetrics({ processMetrics: false }), {
      connectionsActive: () => 0,
      sessionsActive: () => 0,
      requestsInflight: () => 0,
    }),
    handlers: { loaded: () => running.handler, load: () => Promise.resolve(running.handler) },
    config: () => anAgentConfig(config),
  });
  await store.create(SESSION, CLIENT);
  return {
    clock,
    store,
    runner,
    failures,
    moves: () => moved,
    begin: async (run: (turn: Turn) => ReturnType<Handler["run"]>): Promise<void> => {
      running.handler = { run };
      const message = { client: { owner: OWNER }, content: "hello", metadata: undefined };
      const use = stores.use();
      await runner
        .begin({ ...message, sessionId: SESSION, messageId: "m1" }, use, () => {})
        .finally(() => use.release());
    },
    recover: async (
      run: (turn: Turn) => ReturnType<Handler["run"]>,
      more: Partial<Handler> = {},
    ): Promise<void> => {
      running.handler = { run, ...more };
      const use = stores.use();
      await runner.recover(SESSION, { owner: OWNER }, use).finally(() => use.release());
      await runner.whenIdle();
    },
    lastTurn: async (): Promise<TurnRecord | undefined> =>
      (await store.timeline(SESSION))?.turns.at(-1),
  };
}

describe("the record of a turn", () => {
  it("tells when it ran and where, what it used, and each call with its time", async () => {
    const replica = await aReplica({
      handler: "runtime",
      provider: { ...PROVIDER, model: "a-model" },
    });
    const { clock, begin, runner, lastTurn } = replica;
    await begin(async (turn) => {
      await clock.advance(20);
      await turn.emit({ type: "chunk", content: "let me see" });
      await clock.advance(10);
      const call = { type: "tool-call", arguments: {} } as const;
      await turn.emit({ ...call, id: "c1", name: "weather" });
      await clock.advance(5);
      await turn.emit({ ...call, id: "c2", name: "map", parent: "c1" });
      await clock.advance(30);
      await turn.emit({ type: "tool-result", id: "c2", error: "no map" });
      await turn.emit({ type: "tool-result", id: "c1", result: 1 });
      turn.enterState("asked");
      return {
        finishReason: "stop",
        usage: { input_tokens: 5, output_tokens: 6 },
        warnings: [{ validator: "length", message: "too long" }],
      };
    });
    await runner.whenIdle();
    expect(await lastTurn()).toEqual({
      turnId: expect.any(String) as string,
      messageId: "m1",
      startedAt: 1_000_000,
      firstChunkAt: 1_000_020,
      endedAt: 1_000_065,
      model: "a-model",
      replicas: ["replica-1"],
      finishReason: "stop",
      warnings: [{ validator: "length", message: "too long" }],
      usage: { input_tokens: 5, output_tokens: 6 },
      workflowState: "asked",
      calls: [
        { id: "c1", name: "weather", startedAt: 1_000_030, ms: 35, outcome: "ok" },
        { id: "c2", name: "map", startedAt: 1_000_035, ms: 30, outcome: "error", parent: "c1" },
      ],
    });
  });

  it("is short where nothing happened but an answer", async () => {
    const { begin, runner, lastTurn } = await aReplica({ handler: "echo" });
    await begin(async () => ({ content: "hello", finishReason: "stop" }));
    await runner.whenIdle();
    const record = await lastTurn();
    expect(record).toEqual({
      turnId: expect.any(String) as string,
      messageId: "m1",
      startedAt: 1_000_000,
      endedAt: 1_000_000,
      replicas: ["replica-1"],
      finishReason: "stop",
      calls: [],
    });
    expect(JSON.stringify(record).length).toBeLessThan(300);
  });

  it("tells what a turn has used that failed, and whose call nobody knows the outcome of", async () => {
    const { begin, runner, lastTurn } = await aReplica();
    await begin(async (turn) => {
      const message = { role: "assistant", turnId: turn.id, content: "so" } as const;
      for (let step = 0; step < 2; step++) {
        turn.record(message, { usage: { input_tokens: 10, output_tokens: 1 } });
      }
      await turn.emit({ type: "tool-call", id: "c1", name: "pay", arguments: {} });
      throw new TurnError("PROVIDER_ERROR", "The model is away.", { details: { secret: "x" } });
    });
    await runner.whenIdle();
    expect(await lastTurn()).toMatchObject({
      error: { code: "PROVIDER_ERROR", message: "The model is away." },
      usage: { input_tokens: 20, output_tokens: 2 },
      calls: [{ id: "c1", outcome: "unknown" }],
    });
    expect(JSON.stringify(await lastTurn())).not.toContain("secret");
  });

  it("names each replica of a turn that was taken over, with the times of the first one", async () => {
    const { clock, store, recover, lastTurn } = await aReplica();
    const origin = { handler: "demo", startedAt: 900_000, replica: "replica-0", model: "old" };
    const turn = { turnId: "t1", messageId: "m1", userMessage: "hello", origin };
    const begun = await store.beginTurn(SESSION, OWNER, turn);
    if (begun.status !== "started") throw new Error(begun.status);
    await store.appendFrames(begun.lease, [], {
      first: 0,
      entries: [
        { type: "said", text: "I look.", at: 900_100 },
        {
          type: "step",
          message: { role: "assistant", turnId: "t1", content: "I look.", toolCalls: [] },
          usage: { input_tokens: 7, output_tokens: 8 },
        },
        { type: "call-started", id: "c1", name: "weather", at: 900_200 },
      ],
    });
    await clock.advance(TURN_LEASE_MS + 1);
    await recover(
      async (turn) => {
        await turn.emit({ type: "tool-call", id: "c2", name: "weather", arguments: {} });
        await turn.emit({ type: "tool-result", id: "c2", result: 1 });
        return { finishReason: "stop" };
      },
      { hasHarmlessCalls: true },
    );
    expect(await lastTurn()).toMatchObject({
      turnId: "t1",
      startedAt: 900_000,
      firstChunkAt: 900_100,
      endedAt: 1_000_000 + TURN_LEASE_MS + 1,
      replicas: ["replica-0", "replica-1"],
      usage: { input_tokens: 7, output_tokens: 8 },
      calls: [
        { id: "c1", startedAt: 900_200, outcome: "unknown" },
        { id: "c2", outcome: "ok" },
      ],
    });
  });

  it("is there while the turn runs", async () => {
    const { clock, begin, runner, lastTurn } = await aReplica();
    const done = Promise.withResolvers<void>();
    await begin(async (turn) => {
      await turn.emit({ type: "chunk", content: "so" });
      await turn.emit({ type: "tool-call", id: "c1", name: "pay", arguments: {} });
      await turn.stored();
      await done.promise;
      return { finishReason: "stop" };
    });
    await clock.advance(0);
    const record = await lastTurn();
    expect(record).toMatchObject({
      startedAt: 1_000_000,
      firstChunkAt: 1_000_000,
      replicas: ["replica-1"],
      calls: [{ id: "c1", name: "pay", startedAt: 1_000_000, outcome: "running" }],
    });
    expect(record?.endedAt).toBeUndefined();
    done.resolve();
    await runner.whenIdle();
  });
});

describe("a turn whose session is deleted", () => {
  const deleted = { code: "SESSION_NOT_FOUND", message: "The session was deleted." };

  it("is stopped, and those who follow it are told why", async () => {
    const { clock, store, begin, runner, failures, moves } = await aReplica();
    let reason: unknown;
    await begin(async (turn) => {
      await turn.emit({ type: "chunk", content: "so" });
      await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
      reason = turn.signal.reason;
      return { finishReason: "stop" };
    });
    await clock.advance(0);
    expect(await store.delete(SESSION)).toBe(true);
    await runner.whenIdle();
    expect(String(reason)).toContain("cancelled");
    expect(failures).toMatchObject([{ type: "error", error: deleted }]);
    expect(moves()).toBe(0);
    expect(await store.timeline(SESSION)).toBeUndefined();
  });

  it.each<[string, (turn: Turn) => Promise<unknown>]>([
    [
      "its next frame",
      (turn) => turn.emit({ type: "chunk", content: "b" }).then(() => turn.stored()),
    ],
    ["its end", () => Promise.resolve()],
  ])("learns of it by %s, too", async (_, write) => {
    const { clock, store, begin, runner, failures, moves } = await aReplica();
    const go = Promise.withResolvers<void>();
    await begin(async (turn) => {
      await turn.emit({ type: "chunk", content: "a" });
      await go.promise;
      await write(turn);
      return { finishReason: "stop" };
    });
    await clock.advance(0);
    // The short cut is lost.
    store.onCancel(
      { sessionId: SESSION, turnId: runner.running(SESSION)?.id ?? "", fence: 1, seqBefore: 0 },
      () => {},
    );
    await store.delete(SESSION);
    go.resolve();
    await clock.advance(0);
    await runner.whenIdle();
    expect(failures).toMatchObject([{ type: "error", error: deleted }]);
    expect(moves()).toBe(0);
  });

  it("learns of it when its lease is renewed, while its model is silent", async () => {
    const { clock, store, begin, runner, failures } = await aReplica();
    await begin(
      (turn) =>
        new Promise((_, reject) =>
          turn.signal.addEventListener("abort", () => reject(new Error("over"))),
        ),
    );
    await clock.advance(0);
    const turn = runner.running(SESSION);
    store.onCancel(
      { sessionId: SESSION, turnId: turn?.id ?? "", fence: 1, seqBefore: 0 },
      () => {},
    );
    await store.delete(SESSION);
    await clock.advance(10_000);
    await runner.whenIdle();
    expect(failures).toMatchObject([{ type: "error", error: deleted }]);
  });
});
