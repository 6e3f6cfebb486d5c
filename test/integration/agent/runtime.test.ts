/** The handler `runtime` against each provider's protocol, as a third party's server speaks it. */
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, it } from "vitest";
import type { ProviderConfig } from "../../../src/agent-config/agent-config.ts";
import { createRuntimeHandler } from "../../../src/agent/runtime/runtime-handler.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { createLog } from "../../../src/observability/log.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { startModelServer, type WireBody } from "../../support/agent/model-server.ts";
import { rejectionOf } from "../../support/builders/rejection-of.ts";
import { RecordingTurn } from "../../support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

interface Protocol {
  name: string;
  provider: Pick<ProviderConfig, "name" | "model" | "api">;
  /** After the bare origin that the config names. */
  path: string;
  keyHeader: [name: string, value: string];
  /** What of a request's body says the same thing in each protocol. */
  read(body: WireBody): {
    system: unknown;
    temperature: unknown;
    maxTokens: unknown;
    tools: unknown;
  };
  usage: Record<string, number>;
  /** Everything that was said, in the protocol's own shape. */
  messages(body: WireBody): unknown;
  secondTurn: unknown;
}

const protocols: Protocol[] = [
  {
    name: "OpenAI chat completions",
    provider: { name: "openai", model: "gpt-4o", api: "chat" },
    path: "/v1/chat/completions",
    keyHeader: ["authorization", "Bearer sk-test"],
    read: (body) => ({
      system: body.messages[0].content,
      temperature: body.temperature,
      maxTokens: body.max_tokens,
      tools: body.tools.map((tool: WireBody) => tool.function.name),
    }),
    usage: { prompt_tokens: 11, completion_tokens: 5 },
    messages: (body) => body.messages.slice(1),
    secondTurn: [
      { role: "user", content: "How is the weather?" },
      {
        role: "assistant",
        content: "Let me look.",
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "get-weather", arguments: '{"city":"Oslo"}' },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: '{"degrees":21}' },
      { role: "assistant", content: "It is 21 degrees in Oslo today." },
      { role: "user", content: "And before that?" },
    ],
  },
  {
    name: "OpenAI responses",
    provider: { name: "openai", model: "gpt-4o", api: "responses" },
    path: "/v1/responses",
    keyHeader: ["authorization", "Bearer sk-test"],
    read: (body) => ({
      system: body.input[0].content,
      temperature: body.temperature,
      maxTokens: body.max_output_tokens,
      tools: body.tools.map((tool: WireBody) => tool.name),
    }),
    usage: { input_tokens: 11, output_tokens: 5 },
    messages: (body) => body.input.slice(1),
    secondTurn: [
      {
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "How is the weather?" }],
      },
      { type: "message", role: "assistant", content: "Let me look." },
      {
        type: "function_call",
        call_id: "call_1",
        name: "get-weather",
        arguments: '{"city":"Oslo"}',
      },
      { type: "function_call_output", call_id: "call_1", output: '{"degrees":21}' },
      { type: "message", role: "assistant", content: "It is 21 degrees in Oslo today." },
      {
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "And before that?" }],
      },
    ],
  },
  {
    name: "Anthropic messages",
    provider: { name: "anthropic", model: "claude-sonnet-4-5" },
    path: "/v1/messages",
    keyHeader: ["x-api-key", "sk-test"],
    read: (body) => ({
      system: body.system[0].text,
      temperature: body.temperature,
      maxTokens: body.max_tokens,
      tools: body.tools.map((tool: WireBody) => tool.name),
    }),
    usage: { input_tokens: 11, output_tokens: 5 },
    messages: (body) => body.messages,
    secondTurn: [
      { role: "user", content: [{ type: "text", text: "How is the weather?" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me look." },
          { type: "tool_use", id: "call_1", name: "get-weather", input: { city: "Oslo" } },
        ],
      },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "call_1", content: '{"degrees":21}' }],
      },
      { role: "assistant", content: [{ type: "text", text: "It is 21 degrees in Oslo today." }] },
      { role: "user", content: [{ type: "text", text: "And before that?" }] },
    ],
  },
  {
    name: "Google generateContent",
    provider: { name: "google", model: "gemini-2.5-flash" },
    path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    keyHeader: ["x-goog-api-key", "sk-test"],
    read: (body) => ({
      system: body.systemInstruction.parts[0].text,
      temperature: body.generationConfig.temperature,
      maxTokens: body.generationConfig.maxOutputTokens,
      tools: body.tools[0].functionDeclarations.map((tool: WireBody) => tool.name),
    }),
    usage: { promptTokenCount: 11, candidatesTokenCount: 5 },
    messages: (body) => body.contents,
    secondTurn: [
      { role: "user", parts: [{ text: "How is the weather?" }] },
      {
        role: "model",
        parts: [
          { text: "Let me look." },
          { functionCall: { name: "get-weather", args: { city: "Oslo" } } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { name: "get-weather", response: { content: { degrees: 21 } } } },
        ],
      },
      { role: "model", parts: [{ text: "It is 21 degrees in Oslo today." }] },
      { role: "user", parts: [{ text: "And before that?" }] },
    ],
  },
];

const toolRequests: unknown[] = [];

const model = forAllTests(
  () => startModelServer(),
  (model) => model.close(),
);
const tool = forAllTests(
  () =>
    startHttpServer(async (request, response) => {
      toolRequests.push(JSON.parse(await text(request)));
      response.setHeader("content-type", "application/json");
      response.end('{"degrees":21}');
    }),
  (tool) => tool.close(),
);

const handler = createRuntimeHandler({
  readSecret: () => Promise.resolve("sk-test"),
  clock: systemClock,
  log: createLog({ level: "silent" }),
});

describe.each(protocols)("$name", (protocol) => {
  beforeEach(() => {
    model().mock.reset();
    toolRequests.length = 0;
    const { usage } = protocol;
    model().mock.on(
      { userMessage: "weather", hasToolResult: false },
      {
        content: "Let me look.",
        toolCalls: [{ id: "call_1", name: "get-weather", arguments: '{"city":"Oslo"}' }],
        usage,
      },
      { latency: 40 },
    );
    model().mock.on(
      { userMessage: "weather", hasToolResult: true },
      { content: "It is 21 degrees in Oslo today.", usage },
      { latency: 40 },
    );
    model().mock.onMessage("before that", { content: "You asked for the weather.", usage });
  });

  function config() {
    return aRuntimeConfig({
      provider: { ...protocol.provider, baseURL: model().url, parameters: { temperature: 0.2 } },
      prompt: { system: "Be brief.", parameters: { temperature: 0.9, maxTokens: 300 } },
      tools: [aTool({ url: tool().url })],
    });
  }

  it("streams an answer, calls a tool on the way, and remembers it in the next turn", async () => {
    const turn = new RecordingTurn(config(), { content: "How is the weather?" });
    const result = await handler.run(turn);
    expect(result).toEqual({
      finishReason: "stop",
      usage: { input_tokens: 22, output_tokens: 10 },
    });
    expect(turn.text).toBe("Let me look.\n\nIt is 21 degrees in Oslo today.");
    const chunks = turn.events.filter(({ type }) => type === "chunk");
    expect(chunks.length).toBeGreaterThan(4);
    expect(turn.events.filter(({ type }) => type !== "chunk")).toMatchObject([
      { type: "tool-call", name: "get-weather", arguments: { city: "Oslo" } },
      { type: "tool-result", result: { degrees: 21 } },
    ]);
    expect(toolRequests).toEqual([{ city: "Oslo" }]);

    // A session store keeps JSON.
    const history = JSON.parse(JSON.stringify(turn.historyAfter)) as typeof turn.recorded;
    const next = new RecordingTurn(config(), { content: "And before that?", history });
    await handler.run(next);
    expect(next.text).toBe("You asked for the weather.");

    const request = model().requests.at(-1);
    const [keyName, key] = protocol.keyHeader;
    expect(request?.path).toBe(protocol.path);
    expect(request?.headers[keyName]).toBe(key);
    expect(protocol.read(request?.body)).toEqual({
      system: "Be brief.",
      temperature: 0.2,
      maxTokens: 300,
      tools: ["get-weather"],
    });
    expect(protocol.messages(request?.body)).toMatchObject(protocol.secondTurn as object[]);
  });

  it("is spoken at a base URL with its version too", async () => {
    const withVersion = config();
    const version = protocol.path.slice(0, protocol.path.indexOf("/", 1));
    if (withVersion.provider) withVersion.provider.baseURL = `${model().url}${version}/`;
    await handler.run(new RecordingTurn(withVersion, { content: "And before that?" }));
    expect(model().requests.at(-1)?.path).toBe(protocol.path);
  });

  it("runs parallel calls and gives both results back", async () => {
    model().mock.reset();
    const call = (id: string, city: string) => ({
      id,
      name: "get-weather",
      arguments: JSON.stringify({ city }),
    });
    model().mock.on(
      { hasToolResult: false },
      { toolCalls: [call("call_1", "Oslo"), call("call_2", "Rome")] },
    );
    model().mock.on({ hasToolResult: true }, { content: "Both fine." });
    const turn = new RecordingTurn(config());
    await handler.run(turn);
    expect(turn.text).toBe("Both fine.");
    expect(toolRequests).toHaveLength(2);
    expect(turn.recorded.map(({ role }) => role)).toEqual([
      "assistant",
      "tool",
      "tool",
      "assistant",
    ]);
  });

  it("is asked again after a turn that was cancelled among its tool calls", async () => {
    const history = [
      { role: "user" as const, turnId: "t", content: "How is the weather?" },
      {
        role: "assistant" as const,
        turnId: "t",
        content: "",
        toolCalls: [{ id: "call_1", name: "get-weather", arguments: { city: "Oslo" } }],
      },
      { role: "user" as const, turnId: "u", content: "Hello?" },
    ];
    const turn = new RecordingTurn(config(), { content: "And before that?", history });
    await expect(handler.run(turn)).resolves.toMatchObject({ finishReason: "stop" });
  });

  it("closes the provider's stream when the turn is cancelled", async () => {
    model().mock.reset();
    model().mock.onMessage(/./, { content: "x".repeat(400) }, { latency: 5 });
    const stop = new AbortController();
    const turn = new RecordingTurn(config(), {
      signal: stop.signal,
      onEvent: () => stop.abort(new Error("cancelled")),
    });
    await expect(handler.run(turn)).rejects.toThrow("cancelled");
    expect(await model().requests.at(-1)?.ended).toBe("hung-up");
  });

  it("of a provider that fails ends in an error that helps, and the next turn goes well", async () => {
    model().mock.onMessage("fail", {
      error: { message: "sk-test is bad at 10.0.0.1" },
      status: 401,
    });
    const turn = new RecordingTurn(config(), { content: "fail" });
    const error = await rejectionOf(handler.run(turn));
    expect(error).toMatchObject({
      code: "PROVIDER_ERROR",
      message: `${protocol.provider.name}: authentication (HTTP 401); the API key was refused`,
      details: { reason: "key_refused", status: 401 },
    });
    expect(JSON.stringify([error, String((error as Error).stack)])).not.toMatch(
      /sk-test|10\.0\.0\.1/,
    );
    const next = new RecordingTurn(config(), {
      content: "And before that?",
      history: turn.historyAfter,
    });
    await handler.run(next);
    expect(next.text).toBe("You asked for the weather.");
  });

  it("of a stream that is cut in the middle ends in an error, and keeps what was said", async () => {
    model().mock.onMessage(
      "cut",
      { content: "It is a long story. ".repeat(5) },
      { truncateAfterChunks: 6, latency: 2 },
    );
    const turn = new RecordingTurn(config(), { content: "cut" });
    await expect(handler.run(turn)).rejects.toMatchObject({
      code: "PROVIDER_ERROR",
      message: `${protocol.provider.name}: the answer broke off before its end`,
      details: { reason: "interrupted" },
    });
    expect(turn.text).not.toBe("");
    expect(turn.recorded).toEqual([
      { role: "assistant", turnId: turn.id, content: turn.text, partial: true },
    ]);
    const next = new RecordingTurn(config(), {
      content: "And before that?",
      history: turn.historyAfter,
    });
    await expect(handler.run(next)).resolves.toMatchObject({ finishReason: "stop" });
  });
});
