import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { startModelServer } from "../../../test/support/agent/model-server.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import {
  RecordingTurn,
  type RecordingTurnOptions,
} from "../../../test/support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../../test/support/builders/agent-config.ts";
import type { PromptConfig, ToolConfig } from "../../agent-config/agent-config.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { systemClock } from "../../time/clock.ts";
import { createLog } from "../../observability/log.ts";
import { createRuntimeHandler } from "./runtime-handler.ts";

const counted: string[] = [];
const handler = createRuntimeHandler({
  readSecret: () => Promise.resolve("sk-test"),
  clock: systemClock,
  log: createLog({ level: "silent" }),
  metrics: {
    toolCallsTotal: {
      add: (value, { tool, status }) => void counted.push(`${tool} ${status} ${value}`),
    },
    validationsTotal: {
      add: (value, { validator, outcome }) => void counted.push(`${validator} ${outcome} ${value}`),
    },
    providerTokensTotal: {
      add: (value, { provider, model: modelId, direction }) =>
        void counted.push(`${provider} ${modelId} ${direction} ${value}`),
    },
    providerCostTotal: {
      add: (value, { provider, model: modelId, currency }) =>
        void counted.push(`${provider} ${modelId} ${currency} ${value}`),
    },
  },
});

/** The runtime handler with a model and a server of tools, which end with the test. */
async function aToolLoop() {
  const model = await startModelServer();
  onTestFinished(() => model.close());
  /** Paths that were called, with their arguments. */
  const toolCalls: [path: string | undefined, toolArguments: unknown][] = [];
  const tools = {
    url: "",
    answerTool: (_path: string | undefined, _toolArguments: { city?: string }): Promise<unknown> =>
      Promise.resolve({ degrees: 21 }),
  };
  const toolServer = await startHttpServer(async (request, response) => {
    const toolArguments = JSON.parse(await text(request)) as { city?: string };
    toolCalls.push([request.url, toolArguments]);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(await tools.answerTool(request.url, toolArguments)));
  });
  onTestFinished(() => toolServer.close());
  tools.url = toolServer.url;

  function weather(tool: Partial<ToolConfig> = {}): ToolConfig {
    return aTool({ url: `${tools.url}/weather`, ...tool });
  }

  async function run(
    options: RecordingTurnOptions & { tools?: ToolConfig[]; prompt?: Partial<PromptConfig> } = {},
  ) {
    const config = aRuntimeConfig({
      provider: { baseURL: model.url },
      tools: options.tools ?? [weather()],
      ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
    });
    const turn = new RecordingTurn(config, { content: "How is the weather?", ...options });
    counted.length = 0;
    return { turn, result: await handler.run(turn) };
  }

  /** The messages of the last request, without the system prompt and the first question. */
  function lastMessages(): { role: string; content: string; tool_call_id?: string }[] {
    return model.requests.at(-1)?.body.messages.slice(2);
  }

  function callsOnce(
    ...toolCallsOfModel: { name: string; arguments: string; id?: string }[]
  ): void {
    model.mock.on({ hasToolResult: false }, { toolCalls: toolCallsOfModel });
    model.mock.on({ hasToolResult: true }, { content: "It is 21 degrees." });
  }

  return {
    model,
    tools,
    toolCalls,
    run,
    weather,
    lastMessages,
    callsOnce,
  };
}

describe("a turn with tools", () => {
  it("tells the client of a call and its result, and the model too", async () => {
    const { callsOnce, run, toolCalls, lastMessages } = await aToolLoop();
    callsOnce({ id: "call_1", name: "get-weather", arguments: '{"city":"Oslo"}' });
    const { turn, result } = await run();
    expect(result.finishReason).toBe("stop");
    expect(turn.events.slice(0, 2)).toEqual([
      { type: "tool-call", id: "call_1", name: "get-weather", arguments: { city: "Oslo" } },
      { type: "tool-result", id: "call_1", result: { degrees: 21 } },
    ]);
    expect(turn.text).toBe("It is 21 degrees.");
    expect(toolCalls).toEqual([["/weather", { city: "Oslo" }]]);
    expect(lastMessages()).toMatchObject([
      { role: "assistant", tool_calls: [{ id: "call_1" }] },
      { role: "tool", tool_call_id: "call_1", content: '{"degrees":21}' },
    ]);
    expect(turn.recorded.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
  });

  it("sums the usage of its steps, and counts it", async () => {
    const { model, run } = await aToolLoop();
    const usage = { prompt_tokens: 10, completion_tokens: 3 };
    const call = { name: "get-weather", arguments: '{"city":"Oslo"}' };
    model.mock.on({ hasToolResult: false }, { toolCalls: [call], usage });
    model.mock.on({ hasToolResult: true }, { content: "Sunny.", usage });
    const { result } = await run();
    expect(result.usage).toEqual({ input_tokens: 20, output_tokens: 6 });
    expect(counted).toEqual([
      "openai gpt-4o input 10",
      "openai gpt-4o output 3",
      "get-weather success 1",
      "openai gpt-4o input 10",
      "openai gpt-4o output 3",
    ]);
  });

  it("sets apart what is said before a call and after it", async () => {
    const { model, run } = await aToolLoop();
    model.mock.on(
      { hasToolResult: false },
      {
        content: "Let me look.",
        toolCalls: [{ name: "get-weather", arguments: '{"city":"Oslo"}' }],
      },
    );
    model.mock.on({ hasToolResult: true }, { content: "It is sunny today." });
    const { turn } = await run();
    expect(turn.text).toBe("Let me look.\n\nIt is sunny today.");
    expect(turn.recorded.at(-1)).toMatchObject({ content: "It is sunny today." });
  });

  it("runs the calls of one answer side by side, and tells of each as it ends", async () => {
    const { callsOnce, tools, run, lastMessages } = await aToolLoop();
    callsOnce(
      { id: "slow", name: "slow", arguments: "{}" },
      { id: "fast", name: "fast", arguments: "{}" },
    );
    const fastWasTold = Promise.withResolvers<void>();
    tools.answerTool = async (path) => {
      if (path === "/slow") await fastWasTold.promise;
      return path;
    };
    const inputSchema = { type: "object" };
    const { turn } = await run({
      tools: [
        aTool({ name: "slow", url: `${tools.url}/slow`, inputSchema }),
        aTool({ name: "fast", url: `${tools.url}/fast`, inputSchema }),
      ],
      onEvent: (event) => {
        if (event.type === "tool-result" && event.id === "fast") fastWasTold.resolve();
      },
    });
    expect(
      turn.events.slice(0, 4).map((event) => "id" in event && `${event.type} ${event.id}`),
    ).toEqual(["tool-call slow", "tool-call fast", "tool-result fast", "tool-result slow"]);
    expect(lastMessages().slice(1)).toMatchObject([
      { tool_call_id: "slow" },
      { tool_call_id: "fast" },
    ]);
  });

  it("finds a tool under its name with underscores", async () => {
    const { callsOnce, run } = await aToolLoop();
    callsOnce({ name: "get_weather", arguments: '{"city":"Oslo"}' });
    const { turn } = await run();
    expect(turn.events[1]).toMatchObject({ result: { degrees: 21 } });
  });

  it.each([
    ["unknown", "get_time", "{}", /^there is no tool "get_time"; the tools are: get-weather$/],
    ["not JSON", "get-weather", '{"city":', /^the arguments are not valid JSON/],
    ["no object", "get-weather", '"Oslo"', /^the arguments must be a JSON object$/],
    ["against the schema", "get-weather", '{"city":1}', /\/city must be string/],
  ])(
    "tells the model of a call that is %s, and goes on",
    async (_what, name, toolArguments, error) => {
      const { callsOnce, run, lastMessages, toolCalls } = await aToolLoop();
      callsOnce({ id: "call_1", name, arguments: toolArguments });
      const { turn, result } = await run();
      expect(turn.events.slice(0, 2)).toMatchObject([
        { type: "tool-call", id: "call_1", name },
        { type: "tool-result", id: "call_1", error: expect.stringMatching(error) },
      ]);
      expect(lastMessages()[1]).toMatchObject({
        role: "tool",
        content: expect.stringContaining("error"),
      });
      expect(result.finishReason).toBe("stop");
      expect(toolCalls).toEqual([]);
    },
  );

  it("counts calls by tool and outcome, and not by the names that a model makes up", async () => {
    const { callsOnce, run } = await aToolLoop();
    callsOnce(
      { name: "get-weather", arguments: '{"city":"Oslo"}' },
      { name: "get-weather", arguments: "{}" },
      { name: "made-up", arguments: "{}" },
    );
    await run();
    expect(counted.filter((line) => !line.startsWith("openai")).sort()).toEqual([
      "get-weather error 1",
      "get-weather success 1",
      "unknown error 1",
    ]);
  });

  it("runs every call once, also under an id that was there before, and gives it another id", async () => {
    const { model, run, toolCalls, tools, lastMessages } = await aToolLoop();
    const call = { id: "call_1", name: "get-weather", arguments: '{"city":"Oslo"}' };
    const answers = [
      { toolCalls: [call] },
      { toolCalls: [call, { ...call, arguments: '{"city":"Rome"}' }] },
      { content: "Sunny." },
    ];
    model.mock.onMessage(/./, () => answers.shift() ?? { content: "" });
    tools.answerTool = (_path, { city }) => Promise.resolve(city);
    const earlier = { role: "user", turnId: "t-0", content: "?" } as const;
    const history: HistoryMessage[] = [
      earlier,
      {
        role: "assistant",
        turnId: "t-0",
        content: "Let me see.",
        toolCalls: [{ id: "call_1", name: "get-weather", arguments: {} }],
      },
    ];
    const { turn } = await run({ history });
    expect(toolCalls.map(([, toolArguments]) => toolArguments)).toEqual([
      { city: "Oslo" },
      { city: "Oslo" },
      { city: "Rome" },
    ]);
    const told = turn.events.flatMap((event) => (event.type === "tool-call" ? event.id : []));
    // The provider's package gives the second call of one answer an id by itself.
    expect(told).toEqual(["call_1-2", "call_1-3", expect.any(String)]);
    expect(new Set([...told, "call_1"]).size).toBe(4);
    const results = lastMessages().filter(({ role }) => role === "tool");
    expect(results.map((message) => message.tool_call_id)).toEqual(["call_1", ...told]);
    expect(results.slice(1).map(({ content }) => content)).toEqual(["Oslo", "Oslo", "Rome"]);
    const recorded = turn.recorded.flatMap((message) =>
      "toolCallId" in message ? message.toolCallId : [],
    );
    expect(recorded).toEqual(told);
  });
});

describe("the limits of a turn", () => {
  const call = { name: "get-weather", arguments: '{"city":"Oslo"}' };

  it("end the rounds of tool calls in an answer without tools", async () => {
    const { model, run, toolCalls, lastMessages } = await aToolLoop();
    model.mock.on(
      { predicate: (request) => request.tool_choice === "none" },
      { content: "That is all I know." },
    );
    model.mock.onMessage(/./, { toolCalls: [call] });
    const { turn, result } = await run({ prompt: { maxRounds: 2 } });
    expect(result.finishReason).toBe("tool_limit");
    expect(turn.text).toBe("That is all I know.");
    expect(toolCalls).toHaveLength(2);
    expect(turn.events.filter(({ type }) => type === "tool-call")).toHaveLength(2);
    expect(lastMessages().at(-1)).toMatchObject({
      content: expect.stringContaining("at most 2 rounds"),
    });
  });

  it("hold for a model that calls tools also when it may not", async () => {
    const { model, run, toolCalls } = await aToolLoop();
    model.mock.onMessage(/./, { toolCalls: [call] });
    const { turn, result } = await run({ prompt: { maxRounds: 3 } });
    expect(result.finishReason).toBe("tool_limit");
    expect(toolCalls).toHaveLength(3);
    expect(turn.recorded.at(-1)?.role).toBe("tool");
  });

  it("hold for a model that repeats itself for ever", async () => {
    const { model, run, toolCalls } = await aToolLoop();
    model.mock.onMessage(/./, { toolCalls: [{ ...call, id: "call_1" }] });
    const { result } = await run({ prompt: { maxRounds: 2 } });
    expect(result.finishReason).toBe("tool_limit");
    expect(toolCalls).toHaveLength(2);
  });

  it("are not reached by a model that answers after the last round", async () => {
    const { callsOnce, run } = await aToolLoop();
    callsOnce(call);
    const { result } = await run({ prompt: { maxRounds: 1 } });
    expect(result.finishReason).toBe("stop");
  });

  it("hold for the number of calls too", async () => {
    const { model, run, toolCalls, lastMessages } = await aToolLoop();
    model.mock.on({ hasToolResult: false }, { toolCalls: [call, call, call] });
    model.mock.on({ hasToolResult: true }, { content: "Sunny, I guess." });
    const { turn, result } = await run({ prompt: { maxToolCallsPerTurn: 2 } });
    expect(toolCalls).toHaveLength(2);
    expect(turn.events.filter(({ type }) => type === "tool-call")).toHaveLength(2);
    expect(lastMessages().at(-1)).toMatchObject({
      content: expect.stringContaining("at most 2 tool calls"),
    });
    expect(result.finishReason).toBe("tool_limit");
  });
});

describe("the choice of tools", () => {
  it("is the pack's; a required call is required once", async () => {
    const { callsOnce, run, model } = await aToolLoop();
    callsOnce({ name: "get-weather", arguments: '{"city":"Oslo"}' });
    await run({ prompt: { toolChoice: "required" } });
    expect(model.requests.map(({ body }) => body.tool_choice)).toEqual(["required", "auto"]);
  });

  it("may be none, which a model that calls one all the same does not change", async () => {
    const { model, run } = await aToolLoop();
    model.mock.onMessage(/./, {
      content: "Hm.",
      toolCalls: [{ name: "get-weather", arguments: "{}" }],
    });
    const { turn } = await run({ prompt: { toolChoice: "none" } });
    expect(model.requests.map(({ body }) => body.tool_choice)).toEqual(["none"]);
    expect(turn.events.map(({ type }) => type)).not.toContain("tool-call");
  });

  it("is not sent where there are no tools", async () => {
    const { model, run } = await aToolLoop();
    model.mock.onMessage(/./, { content: "Hello." });
    await run({ tools: [] });
    expect(model.requests[0]?.body).not.toHaveProperty("tools");
    expect(model.requests[0]?.body).not.toHaveProperty("tool_choice");
  });
});

describe("how an answer ends", () => {
  it("at its length is said, and half a call is not run", async () => {
    const { model, run } = await aToolLoop();
    model.mock.onMessage(/./, {
      content: "It is",
      toolCalls: [{ name: "get-weather", arguments: '{"city":"O' }],
      finishReason: "length",
    });
    const { turn, result } = await run();
    expect(result.finishReason).toBe("length");
    expect(turn.recorded).toMatchObject([{ role: "assistant", content: "It is" }]);
    expect(turn.recorded[0]).not.toHaveProperty("toolCalls");
  });

  it("in a filter is said, and is an error when nothing was said before", async () => {
    const { model, run } = await aToolLoop();
    model.mock.onMessage("some", { content: "I cannot", finishReason: "content_filter" });
    const { turn, result } = await run({ content: "some" });
    expect(result.finishReason).toBe("content_filter");
    expect(turn.recorded).toMatchObject([{ role: "assistant", content: "I cannot" }]);
    model.mock.onMessage("none", { content: "", finishReason: "content_filter" });
    await expect(run({ content: "none" })).rejects.toMatchObject({
      code: "PROVIDER_ERROR",
      details: { reason: "content_filter" },
    });
  });

  it("in a filter runs no call", async () => {
    const { model, run, toolCalls } = await aToolLoop();
    model.mock.onMessage(/./, {
      content: "Let me",
      toolCalls: [{ name: "get-weather", arguments: '{"city":"Oslo"}' }],
      finishReason: "content_filter",
    });
    const { turn, result } = await run();
    expect(result.finishReason).toBe("content_filter");
    expect(toolCalls).toEqual([]);
    expect(turn.recorded[0]).not.toHaveProperty("toolCalls");
  });

  it("with a stop runs the calls that came whole", async () => {
    const { model, run, toolCalls } = await aToolLoop();
    model.mock.on(
      { hasToolResult: false },
      {
        toolCalls: [{ name: "get-weather", arguments: '{"city":"Oslo"}' }],
        finishReason: "stop",
      },
    );
    model.mock.on({ hasToolResult: true }, { content: "Sunny.", finishReason: "eos" });
    const { result } = await run();
    expect(result.finishReason).toBe("stop");
    expect(toolCalls).toHaveLength(1);
  });

  it.each(["error", "abort", "UNEXPECTED_TOOL_CALL"])(
    "with the word %s is an error, which keeps what was said and runs no call",
    async (finishReason) => {
      const { model, run, toolCalls } = await aToolLoop();
      model.mock.onMessage(/./, {
        content: "Let me look",
        toolCalls: [{ name: "get-weather", arguments: '{"city":"Oslo"}' }],
        finishReason,
      });
      const recorded: object[] = [];
      const failing = run({ onRecord: (message) => void recorded.push(message) });
      await expect(failing).rejects.toMatchObject({
        code: "PROVIDER_ERROR",
        message: `openai: the answer ended with "${finishReason}"; try again`,
        details: { reason: "unsuccessful_finish", finish_reason: finishReason },
      });
      expect(toolCalls).toEqual([]);
      expect(recorded).toMatchObject([
        { role: "assistant", content: "Let me look", partial: true },
      ]);
      expect(recorded[0]).not.toHaveProperty("toolCalls");
      expect(model.requests).toHaveLength(1);
    },
  );

  it("without a word is an error", async () => {
    const { model, run } = await aToolLoop();
    model.mock.onMessage(/./, { content: "" });
    await expect(run()).rejects.toMatchObject({
      code: "PROVIDER_ERROR",
      message: "openai: empty answer; the model said nothing",
    });
  });
});

describe("a turn that is cancelled", () => {
  it("closes the request to the provider and keeps what was said", async () => {
    const { model } = await aToolLoop();
    model.mock.onMessage(/./, { content: "x".repeat(200) }, { latency: 5 });
    const stop = new AbortController();
    const config = aRuntimeConfig({ provider: { baseURL: model.url } });
    const turn = new RecordingTurn(config, {
      signal: stop.signal,
      onEvent: () => stop.abort(new Error("cancelled")),
    });
    await expect(handler.run(turn)).rejects.toThrow("cancelled");
    expect(await model.requests[0]?.ended).toBe("hung-up");
    expect(turn.recorded).toEqual([
      { role: "assistant", turnId: turn.id, content: turn.text, partial: true },
    ]);
  });

  it("before the first word records nothing", async () => {
    const { model } = await aToolLoop();
    model.mock.onMessage(/./, { content: "late" }, { latency: 10_000 });
    const stop = new AbortController();
    const config = aRuntimeConfig({ provider: { baseURL: model.url } });
    const turn = new RecordingTurn(config, { signal: stop.signal });
    const running = rejectionOf(handler.run(turn));
    await expect.poll(() => model.requests.length).toBe(1);
    stop.abort(new Error("cancelled"));
    expect(await running).toMatchObject({ message: "cancelled" });
    expect(turn.recorded).toEqual([]);
  });

  it("stops the tools that run, and keeps the results of those that ended", async () => {
    const { callsOnce, tools, model, weather } = await aToolLoop();
    callsOnce(
      { id: "slow", name: "get-weather", arguments: '{"city":"slow"}' },
      { id: "fast", name: "get-weather", arguments: '{"city":"fast"}' },
    );
    const stop = new AbortController();
    tools.answerTool = (_path, toolArguments) =>
      toolArguments.city === "slow" ? new Promise(() => {}) : Promise.resolve(1);
    const config = aRuntimeConfig({ provider: { baseURL: model.url }, tools: [weather()] });
    const turn = new RecordingTurn(config, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === "tool-result") stop.abort(new Error("cancelled"));
      },
    });
    await expect(handler.run(turn)).rejects.toThrow("cancelled");
    expect(turn.recorded).toMatchObject([
      { role: "assistant", toolCalls: [{ id: "slow" }, { id: "fast" }] },
      { role: "tool", toolCallId: "fast", result: 1 },
    ]);
  });
});

describe("a turn whose reader is slow", () => {
  it("reads no more of the model than its reader takes", async () => {
    const chunk = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "x".repeat(10_000) } }] })}\n\n`;
    let written = 0;
    const stalled = Promise.withResolvers<void>();
    await using endless = await startHttpServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      while (response.write(chunk)) written += chunk.length;
      response.on("drain", () => {
        while (response.write(chunk)) written += chunk.length;
        clearTimeout(quiet);
        quiet = setTimeout(stalled.resolve, 100);
      });
      let quiet = setTimeout(stalled.resolve, 100);
    });
    const stop = new AbortController();
    const config = aRuntimeConfig({ provider: { baseURL: endless.url } });
    const turn = new RecordingTurn(config, {
      signal: stop.signal,
      onEvent: () =>
        new Promise((_resolve, reject) =>
          stop.signal.addEventListener("abort", () => reject(stop.signal.reason as Error)),
        ),
    });
    const running = rejectionOf(handler.run(turn));
    await stalled.promise;
    expect(turn.events).toHaveLength(1);
    expect(written).toBeLessThan(20 * 1024 * 1024);
    stop.abort(new Error("enough"));
    expect(await running).toMatchObject({ message: "enough" });
  });
});
