/** What real model servers sent, as it was recorded (test/cases/streams), and what the handler `runtime` makes of it. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ProviderConfig } from "../../../src/agent-config/agent-config.ts";
import type { TurnError } from "../../../src/agent/contracts/turn-error.ts";
import { createRuntimeHandler } from "../../../src/agent/runtime/runtime-handler.ts";
import type { HistoryMessage } from "../../../src/agent/sessions/history-message.ts";
import { createLog } from "../../../src/observability/log.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { RecordingTurn } from "../../support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { rejectionOf } from "../../support/builders/rejection-of.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

const STREAMS = resolve(import.meta.dirname, "../../cases/streams");

const CHAT = { name: "openai", api: "chat" } as const;
const RESPONSES = { name: "openai", api: "responses" } as const;
const ANTHROPIC = { name: "anthropic" } as const;

const HELLO = "Hello from a tiny model.";
const usage = { input_tokens: 23, output_tokens: 7 };

type Provider = Partial<ProviderConfig>;

const orders = forAllTests(
  () => startHttpServer((_request, response) => void response.end("{}")),
  (server) => server.close(),
);

/** Answers each request with the next of the recordings, the last one again and again, byte for byte. */
async function startRecordings(...names: string[]): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((socket) => {
    let request = "";
    socket.on("error", () => {});
    socket.on("data", (data) => {
      request += data.toString("latin1");
      const end = request.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
      if (end === -1 || request.length < end + 4 + length) return;
      const name = names[asked] ?? names.at(-1);
      asked += 1;
      socket.end(readFileSync(join(STREAMS, `${name}.txt`)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: () => asked };
}

function start(baseURL: string, provider: Provider, history: HistoryMessage[] = []) {
  const handler = createRuntimeHandler({
    readSecret: () => Promise.resolve("sk-test"),
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    log: createLog({ level: "silent" }),
  });
  const tool = aTool({ name: "order-status", url: orders().url, inputSchema: { type: "object" } });
  const config = aRuntimeConfig({
    provider: { model: "tiny", baseURL, ...provider },
    tools: [tool],
  });
  const turn = new RecordingTurn(config, { history });
  return { turn, running: handler.run(turn) };
}

const ANSWERS: readonly [
  name: string,
  provider: Provider,
  text: string,
  result: Record<string, unknown>,
][] = [
  ["llamacpp-chat", CHAT, HELLO, { finishReason: "stop", usage }],
  [
    "llamacpp-chat-reasoning",
    CHAT,
    "Thought.",
    { finishReason: "stop", usage: { input_tokens: 26, output_tokens: 6 } },
  ],
  ["llamacpp-responses", RESPONSES, HELLO, { finishReason: "stop", usage }],
  ["llamacpp-anthropic", ANTHROPIC, HELLO, { finishReason: "stop", usage }],
  ["llama-cpp-python-chat", CHAT, HELLO, { finishReason: "stop", usage: undefined }],
  ["ollama-chat", CHAT, HELLO, { finishReason: "stop", usage }],
  ["ollama-responses", RESPONSES, HELLO, { finishReason: "stop", usage }],
  ["ollama-anthropic", ANTHROPIC, HELLO, { finishReason: "stop", usage }],
  [
    "ollama-responses-length",
    { ...RESPONSES, parameters: { maxTokens: 8 } },
    "one two three four five six seven eight",
    { finishReason: "length", usage: { input_tokens: 26, output_tokens: 8 } },
  ],
  ["litellm-chat", CHAT, HELLO, { finishReason: "stop", usage }],
  ["litellm-responses", RESPONSES, HELLO, { finishReason: "stop", usage }],
];

const CALLS: readonly [name: string, provider: Provider, then: string][] = [
  ["llamacpp-chat-tool", CHAT, "llamacpp-chat"],
  ["llamacpp-anthropic-tool", ANTHROPIC, "llamacpp-anthropic"],
  ["ollama-chat-tool", CHAT, "ollama-chat"],
  ["litellm-chat-tool", CHAT, "litellm-chat"],
];

const FAILURES: readonly [name: string, status: number, reason: string][] = [
  ["llamacpp-badkey", 401, "key_refused"],
  // LiteLLM without a database has no other word for a key that it does not know.
  ["litellm-badkey", 400, "invalid_request"],
  ["litellm-badmodel", 400, "model_not_found"],
  ["ollama-badmodel", 404, "model_not_found"],
  ["llamacpp-context-exceeded", 400, "context_too_long"],
  ["litellm-context-exceeded", 400, "context_too_long"],
  ["llama-cpp-python-context-exceeded", 200, "empty"],
];

const CURED: readonly [name: string, then: string][] = [
  ["llamacpp-context-exceeded", "llamacpp-chat"],
  ["litellm-context-exceeded", "litellm-chat"],
  ["llama-cpp-python-context-exceeded", "llama-cpp-python-chat"],
];

describe("a recorded answer", () => {
  it.each(ANSWERS)(
    "%s is told to the client as it was meant",
    async (name, provider, text, result) => {
      const server = await startRecordings(name);
      const { turn, running } = start(server.url, provider);
      expect(await running).toEqual(result);
      expect(turn.text.trimStart()).toBe(text);
      expect(server.asked()).toBe(1);
    },
  );

  it.each(CALLS)("%s has a call, which is made once", async (name, provider, then) => {
    const server = await startRecordings(name, then);
    const { turn, running } = start(server.url, provider);
    expect(await running).toMatchObject({ finishReason: "stop" });
    const calls = turn.events.filter((event) => event.type === "tool-call");
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ name: "order-status", arguments: { order_id: "A-1042" } });
    expect(turn.text.trimStart()).toBe(HELLO);
    expect(server.asked()).toBe(2);
  });

  it.each(FAILURES)("%s is a failure with HTTP %i, called %s", async (name, status, reason) => {
    const server = await startRecordings(name);
    const error = (await rejectionOf(start(server.url, CHAT).running)) as TurnError;
    expect(error.details).toEqual({ reason, status });
    expect(server.asked()).toBe(1);
    const isTooLong = name.includes("context");
    expect(error.message.includes("context length")).toBe(isTooLong);
  });

  it.each(CURED)("%s is followed by a question with fewer turns", async (name, then) => {
    const history = Array.from({ length: 40 }, (_, turn): HistoryMessage[] => [
      { role: "user", turnId: `turn-${turn}`, content: "x".repeat(300) },
      { role: "assistant", turnId: `turn-${turn}`, content: "yes" },
    ]);
    const server = await startRecordings(name, then);
    const { turn, running } = start(server.url, CHAT, history.flat());
    await running;
    expect(turn.text.trimStart()).toBe(HELLO);
    expect(server.asked()).toBe(2);
  });

  it("is tried here, each of them", () => {
    const tried = [ANSWERS, CALLS, FAILURES].flat().map(([name]) => `${name}.txt`);
    const recorded = readdirSync(STREAMS).filter((file) => file.endsWith(".txt"));
    expect(tried.toSorted()).toEqual(recorded.toSorted());
  });
});
