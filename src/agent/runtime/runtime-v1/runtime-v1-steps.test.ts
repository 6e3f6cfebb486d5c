import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { RecordingTurn } from "../../../../test/support/agent/recording-turn.ts";
import type { RecordingTurnOptions } from "../../../../test/support/agent/recording-turn.ts";
import { anAgentConfig, aPrompt, aTool } from "../../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../../test/support/builders/rejection-of.ts";
import { startHttpServer } from "../../../../test/support/processes/http-server.ts";
import {
  startGrpcRuntime,
  type Answer,
  type GrpcRuntimeOptions,
} from "../../../../test/support/runtimes/grpc-runtime.ts";
import { systemClock, type Clock } from "../../../time/clock.ts";
import { createLog } from "../../../observability/log.ts";
import { ToolServers } from "../../../tool-servers/tool-servers.ts";
import type { PromptConfig, ToolConfig } from "../../../agent-config/agent-config.ts";
import type { EarlierRun, TurnResult } from "../../contracts/handler.ts";
import { RUNTIME_IDLE_LIMIT_MS } from "../../contracts/limits.ts";
import { ContextLimits } from "../context-limits.ts";
import { PromptFit } from "../prompt-fit.ts";
import { TokenRates } from "../token-rates.ts";
import { runTurn } from "../tool-loop.ts";
import { offerTools } from "../tools/offered-tool.ts";
import { createRuntimeV1Client } from "./runtime-v1-client.ts";
import { runtimeV1Steps } from "./runtime-v1-steps.ts";

/** A runtime, and turns that it answers. */
async function aRuntime(answer: Answer, more: Omit<GrpcRuntimeOptions, "answer"> = {}) {
  const runtime = await startGrpcRuntime({ answer, ...more });
  onTestFinished(() => runtime[Symbol.asyncDispose]());
  const client = createRuntimeV1Client(runtime.url);
  const toolCalls: unknown[] = [];
  const toolServer = await startHttpServer(async (request, response) => {
    toolCalls.push(JSON.parse(await text(request)));
    response.setHeader("content-type", "application/json").end('{"degrees":21}');
  });
  onTestFinished(() => toolServer.close());
  const servers = new ToolServers({
    readSecret: () => Promise.resolve(""),
    clock: systemClock,
    random: Math.random,
  });

  function aTurn(options: RecordingTurnOptions = {}): RecordingTurn {
    return new RecordingTurn(anAgentConfig(), { content: "How is the weather?", ...options });
  }

  async function run(
    turn: RecordingTurn = aTurn(),
    {
      clock = systemClock,
      prompt = {},
      tool = {},
    }: { clock?: Clock; prompt?: Partial<PromptConfig>; tool?: Partial<ToolConfig> } = {},
  ): Promise<TurnResult> {
    const tools = await offerTools([aTool({ url: toolServer.url, ...tool })], servers, turn.signal);
    const source = runtimeV1Steps({
      connect: () => Promise.resolve(client),
      modelId: "m",
      turn,
      clock,
      tools,
      toolsEndpoint: undefined,
    });
    const stage = {
      source,
      prompt: aPrompt(prompt),
      tools,
      fit: new PromptFit({
        model: "runtime",
        limits: new ContextLimits(),
        rates: new TokenRates(),
        besideCharacters: 0,
        answerTokens: undefined,
        maxHistoryTokens: 1_000,
      }),
    };
    return runTurn(turn, {
      stages: { after: () => Promise.resolve(stage), position: undefined },
      log: createLog({ level: "silent" }),
      metrics: undefined,
      usedCallIds: [],
      history: await turn.history(),
    });
  }
  return { runtime, toolCalls, aTurn, run };
}

const HELLO = { chunk: { content: "Hello " } };
const DONE = { done: { finalContent: "Hello there." } };

function aCall(execution: string, more: object = {}): Record<string, unknown> {
  const argumentsJson = '{"city":"Oslo"}';
  return { toolCall: { id: "call-1", name: "get-weather", argumentsJson, execution, ...more } };
}

describe("a turn over omnia.runtime.v1", () => {
  it("sends the message of the user, and passes chunks and usage on", async () => {
    const { runtime, aTurn, run } = await aRuntime(async function* () {
      yield HELLO;
      yield { chunk: { content: "there." } };
      yield { done: { finalContent: "Hello there.", usage: { inputTokens: 7, outputTokens: 2 } } };
    });
    const history = [
      { role: "user" as const, turnId: "turn-0", content: "Hi" },
      { role: "assistant" as const, turnId: "turn-0", content: "Hi." },
    ];
    const turn = aTurn({ history, sessionId: "session-7" });
    expect(await run(turn)).toEqual({
      finishReason: "stop",
      usage: { input_tokens: 7, output_tokens: 2 },
    });
    expect(turn.events).toEqual([
      { type: "chunk", content: "Hello " },
      { type: "chunk", content: "there." },
    ]);
    expect(turn.recorded).toEqual([
      { role: "assistant", turnId: turn.id, content: "Hello there." },
    ]);
    expect(runtime.received).toEqual([{ sessionId: "session-7", content: "How is the weather?" }]);
    const [headers] = runtime.headers;
    expect(
      ["agent-name", "namespace", "session-id", "request-id"].map((name) =>
        headers?.get(`x-omnia-${name}`),
      ),
    ).toEqual(["helper", "team", "session-7", turn.id]);
  });

  it("says what the end holds when there were no chunks", async () => {
    const whole = await aRuntime(async function* () {
      yield DONE;
    });
    const first = whole.aTurn();
    await whole.run(first);
    expect(first.text).toBe("Hello there.");
    const parts = [{ type: "text", text: "In parts." }, { type: "image" }];
    const inParts = await aRuntime(async function* () {
      yield { done: { parts } };
    });
    const second = inParts.aTurn();
    await inParts.run(second);
    expect(second.text).toBe("In parts.");
  });

  it("does not pass on what the runtime heard, and what it is not told about", async () => {
    const { aTurn, run } = await aRuntime(async function* () {
      yield {};
      yield { chunk: { content: "How is the weather?", role: "user" } };
      yield HELLO;
      yield DONE;
    });
    const turn = aTurn();
    await run(turn);
    expect(turn.text).toBe("Hello ");
  });

  it("shows the calls that the runtime makes by itself, with results as far as it tells them", async () => {
    const { toolCalls, aTurn, run } = await aRuntime(async function* () {
      yield HELLO;
      yield aCall("TOOL_EXECUTION_SERVER");
      yield { toolResult: { id: "call-1", resultJson: '{"degrees":3}' } };
      yield aCall("TOOL_EXECUTION_SERVER", { id: "call-2", name: "lookup" });
      yield { toolResult: { id: "call-2", resultJson: "not there", isError: true } };
      yield aCall("TOOL_EXECUTION_SERVER", { id: "call-3" });
      yield { chunk: { content: "Cold." } };
      yield DONE;
    });
    const turn = aTurn();
    await run(turn);
    const told = { name: "get-weather", arguments: { city: "Oslo" } };
    expect(turn.events).toEqual([
      { type: "chunk", content: "Hello " },
      { type: "tool-call", id: "call-1", ...told },
      { type: "tool-result", id: "call-1", result: { degrees: 3 } },
      { type: "tool-call", id: "call-2", ...told, name: "lookup" },
      { type: "tool-result", id: "call-2", error: "not there" },
      { type: "tool-call", id: "call-3", ...told },
      { type: "tool-result", id: "call-3", result: null },
      { type: "chunk", content: expect.stringContaining("Cold.") as string },
    ]);
    expect(toolCalls).toEqual([]);
  });

  it("runs a tool of the registry when the runtime asks for it, and sends the result on the same stream", async () => {
    const { runtime, toolCalls, aTurn, run } = await aRuntime(async function* ({ next }) {
      yield aCall("TOOL_EXECUTION_CLIENT");
      const { clientToolResult } = (await next()) ?? {};
      yield { chunk: { content: JSON.stringify(clientToolResult) } };
      yield DONE;
    });
    const turn = aTurn();
    expect(await run(turn)).toMatchObject({ finishReason: "stop" });
    expect(toolCalls).toEqual([{ city: "Oslo" }]);
    expect(turn.events.slice(0, 2)).toEqual([
      { type: "tool-call", id: "call-1", name: "get-weather", arguments: { city: "Oslo" } },
      { type: "tool-result", id: "call-1", result: { degrees: 21 } },
    ]);
    expect(JSON.parse(turn.text)).toEqual({ callId: "call-1", resultJson: '{"degrees":21}' });
    expect(runtime.headers).toHaveLength(1);
  });

  it("answers a call of a tool that the registry lacks with a rejection", async () => {
    const { aTurn, run } = await aRuntime(async function* ({ next }) {
      yield aCall("TOOL_EXECUTION_CLIENT", { name: "camera" });
      const { clientToolResult } = (await next()) ?? {};
      yield { chunk: { content: JSON.stringify(clientToolResult) } };
      yield DONE;
    });
    const turn = aTurn();
    await run(turn);
    expect(JSON.parse(turn.text)).toEqual({
      callId: "call-1",
      isRejected: true,
      rejectionReason: 'there is no tool "camera"; the tools are: get-weather',
    });
  });

  it("does not make a call that a person has to approve", async () => {
    const { toolCalls, aTurn, run } = await aRuntime(async function* ({ next }) {
      yield aCall("TOOL_EXECUTION_CLIENT");
      const { clientToolResult } = (await next()) ?? {};
      yield { chunk: { content: JSON.stringify(clientToolResult) } };
      yield DONE;
    });
    const turn = aTurn();
    expect(await run(turn, { tool: { approval: "always" } })).toMatchObject({
      finishReason: "stop",
    });
    expect(JSON.parse(turn.text)).toMatchObject({
      isRejected: true,
      rejectionReason: expect.stringContaining("needs the approval of a person") as string,
    });
    expect(toolCalls).toEqual([]);
  });

  it("refuses calls beyond those that a turn may have, and gives a runtime up that does not stop", async () => {
    const limited = await aRuntime(async function* ({ next }) {
      for (let number = 1; number <= 4; number += 1) {
        yield aCall("TOOL_EXECUTION_CLIENT", { id: `call-${number}` });
        await next();
      }
      yield HELLO;
      yield DONE;
    });
    const turn = limited.aTurn();
    const result = await limited.run(turn, { prompt: { maxToolCallsPerTurn: 2 } });
    expect(result.finishReason).toBe("tool_limit");
    expect(limited.toolCalls).toHaveLength(2);
    expect(turn.text).toBe("Hello ");

    const endless = await aRuntime(async function* ({ next }) {
      for (;;) {
        yield aCall("TOOL_EXECUTION_CLIENT");
        if ((await next()) === undefined) return;
      }
    });
    const error = await rejectionOf(
      endless.run(endless.aTurn(), { prompt: { maxToolCallsPerTurn: 2 } }),
    );
    expect(error).toMatchObject({ code: "PROVIDER_ERROR", message: "runtime: the runtime failed" });
  });

  it("ends a turn whose runtime makes too many calls by itself", async () => {
    const { aTurn, run } = await aRuntime(async function* () {
      for (let number = 1; number <= 100; number += 1) {
        yield aCall("TOOL_EXECUTION_SERVER", { id: `call-${number}` });
      }
    });
    const turn = aTurn();
    const result = await run(turn, { prompt: { maxToolCallsPerTurn: 3 } });
    expect(result.finishReason).toBe("tool_limit");
    expect(turn.events.filter(({ type }) => type === "tool-call")).toHaveLength(3);
  });

  it("tells the runtime when the turn is cancelled, within a second", async () => {
    const cancelled = Promise.withResolvers<void>();
    const { aTurn, run } = await aRuntime(async function* (_, { signal }) {
      signal.addEventListener("abort", () => cancelled.resolve());
      yield HELLO;
      await cancelled.promise;
    });
    const controller = new AbortController();
    const turn = aTurn({ signal: controller.signal, onEvent: () => controller.abort("enough") });
    await rejectionOf(run(turn));
    await cancelled.promise;
  });
});

describe("a runtime that fails", () => {
  const KEY = "sk-very-secret";

  it.each<[how: string, answer: Answer, message: string]>([
    [
      "reports an error",
      async function* () {
        yield HELLO;
        yield { error: { code: "INTERNAL_ERROR", message: KEY } };
      },
      "runtime: the runtime failed",
    ],
    [
      "throws before it answers",
      // oxlint-disable-next-line require-yield
      async function* () {
        throw new Error(KEY);
      },
      "runtime: the runtime failed before it answered",
    ],
    [
      "throws in the middle",
      async function* () {
        yield HELLO;
        throw new Error(KEY);
      },
      "runtime: the answer broke off before its end",
    ],
    [
      "ends its stream without an end of the turn",
      async function* () {
        yield HELLO;
      },
      "runtime: the answer broke off before its end",
    ],
    [
      "says nothing",
      async function* () {
        yield { done: {} };
      },
      "runtime: empty answer; the model said nothing",
    ],
  ])("when it %s, ends the turn in words of ours", async (_, answer, message) => {
    const { aTurn, run } = await aRuntime(answer);
    const turn = aTurn();
    const error = await rejectionOf(run(turn));
    expect(error).toMatchObject({ code: "PROVIDER_ERROR", message });
    expect(JSON.stringify([error, turn.events, turn.recorded])).not.toContain(KEY);
    expect(String((error as Error).cause)).not.toContain(KEY);
  });

  it("is not blamed for what the agent could not store", async () => {
    const { aTurn, run } = await aRuntime(async function* () {
      yield aCall("TOOL_EXECUTION_SERVER");
      yield DONE;
    });
    const onStored = (): Promise<void> => Promise.reject(new Error("no store"));
    expect(await rejectionOf(run(aTurn({ onStored })))).toMatchObject({ message: "no store" });
  });

  it("when its connections break, ends the turn", async () => {
    const { runtime, aTurn, run } = await aRuntime(async function* (_, { signal }) {
      yield HELLO;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    const error = await rejectionOf(run(aTurn({ onEvent: () => runtime.cut() })));
    expect(error).toMatchObject({
      code: "PROVIDER_ERROR",
      message: "runtime: the answer broke off before its end",
    });
  });

  it("when nothing listens, says that it does not answer", async () => {
    const { runtime, aTurn, run } = await aRuntime(async function* () {
      yield DONE;
    });
    await runtime[Symbol.asyncDispose]();
    expect(await rejectionOf(run(aTurn()))).toMatchObject({
      code: "PROVIDER_ERROR",
      message: "runtime: it does not answer; try again",
      details: { reason: "unreachable" },
    });
  });

  it("when it is silent for too long, gives it up", async () => {
    const clock = new ManualClock();
    const { aTurn, run } = await aRuntime(async function* (_, { signal }) {
      yield HELLO;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    const turn = aTurn();
    const failed = rejectionOf(run(turn, { clock }));
    await expect.poll(() => [turn.events.length, clock.pendingTimers]).toEqual([1, 1]);
    await clock.advance(RUNTIME_IDLE_LIMIT_MS);
    expect(await failed).toMatchObject({
      message: "runtime: timeout; the runtime sent nothing for 300 seconds",
    });
  });
});

describe("a memory of its own", () => {
  const history = [{ role: "user" as const, turnId: "turn-0", content: "Hi" }];

  it.each([
    ["RESUME_STATE_RESUMABLE", undefined],
    ["RESUME_STATE_UNAVAILABLE", undefined],
    [
      "RESUME_STATE_NOT_FOUND",
      "runtime: the runtime has no memory of this session any more; begin a new one",
    ],
  ])("is asked for, and %s ends the turn with %s", async (state, message) => {
    const { aTurn, run } = await aRuntime(
      async function* () {
        yield DONE;
      },
      { resumeState: () => state },
    );
    const result = await run(aTurn({ history })).catch((error: Error) => error.message);
    expect(result).toEqual(message ?? { finishReason: "stop", usage: undefined });
    expect(await run(aTurn())).toMatchObject({ finishReason: "stop" });
  });

  it("lets no other replica go on with a turn, unless only its end is missing", async () => {
    const { runtime, aTurn, run } = await aRuntime(async function* () {
      yield DONE;
    });
    const earlier: EarlierRun = { steps: [], usage: undefined, said: "Hel", unfinished: "Hel" };
    const error = await rejectionOf(run(aTurn({ earlier })));
    expect(error).toMatchObject({ code: "PROVIDER_ERROR", details: { reason: "interrupted" } });
    expect((error as Error).message).toMatch(/so the turn cannot go on/);
    const message = { role: "assistant" as const, turnId: "turn-1", content: "Hello." };
    const steps = [{ message, calls: [], finishReason: "stop" as const }];
    const ended = { ...earlier, steps, said: "Hello.", unfinished: "" };
    expect(await run(aTurn({ earlier: ended }))).toMatchObject({ finishReason: "stop" });
    expect(runtime.received).toEqual([]);
  });
});
