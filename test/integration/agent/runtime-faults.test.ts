/** The handler `runtime` against servers that do what no well-behaved provider does. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import type { ProviderConfig } from "../../../src/agent-config/agent-config.ts";
import { createRuntimeHandler } from "../../../src/agent/runtime/runtime-handler.ts";
import {
  MAX_PROVIDER_RETRIES,
  PROVIDER_IDLE_LIMIT_MS,
} from "../../../src/agent/contracts/limits.ts";
import type { TurnError } from "../../../src/agent/contracts/turn-error.ts";
import { systemClock, type Clock } from "../../../src/time/clock.ts";
import { createLog } from "../../../src/observability/log.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import type { WireBody } from "../../support/agent/model-server.ts";
import { rejectionOf } from "../../support/builders/rejection-of.ts";
import { ManualClock } from "../../support/builders/manual-clock.ts";
import { RecordingTurn, type RecordingTurnOptions } from "../../support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";

const secrets = ["sk-secret-key", "what the provider said", "my private question", "127.0.0.1"];

function sse(response: ServerResponse, ...events: (object | string)[]): void {
  if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) {
    response.write(`data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`);
  }
}

function delta(content: string): object {
  return { id: "1", choices: [{ index: 0, delta: { content } }] };
}
const finish = { id: "1", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };

function answerWell(response: ServerResponse, content = "Fine."): void {
  sse(response, delta(content), finish, "[DONE]");
  response.end();
}

function fail(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ error: { message: secrets[1] } }));
}

/** Waits for nothing, and keeps how long it was to wait. */
function impatientClock(): Clock & { waits: number[] } {
  const waits: number[] = [];
  return {
    ...systemClock,
    waits,
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
}

interface Provider extends AsyncDisposable {
  url: string;
  bodies: WireBody[];
}

async function startProvider(
  answer: (response: ServerResponse, attempt: number, request: IncomingMessage) => void,
): Promise<Provider> {
  const bodies: WireBody[] = [];
  const server = await startHttpServer(async (request, response) => {
    bodies.push(await json(request));
    answer(response, bodies.length, request);
  });
  return { url: server.url, bodies, [Symbol.asyncDispose]: () => server.close() };
}

function start(
  baseURL: string,
  options: RecordingTurnOptions & { clock?: Clock; provider?: Partial<ProviderConfig> } = {},
) {
  const logged: string[] = [];
  const handler = createRuntimeHandler({
    readSecret: () => Promise.resolve("sk-secret-key"),
    clock: options.clock ?? impatientClock(),
    log: createLog({ level: "debug", destination: { write: (line) => void logged.push(line) } }),
    random: () => 0.5,
  });
  const config = aRuntimeConfig({ provider: { baseURL, ...options.provider } });
  const turn = new RecordingTurn(config, { content: "my private question", ...options });
  return { turn, logged, running: handler.run(turn) };
}

/** Runs a turn that fails; nothing secret is in its error or its log. */
async function failingTurn(...parameters: Parameters<typeof start>) {
  const { turn, logged, running } = start(...parameters);
  const error = (await rejectionOf(running)) as TurnError;
  const shown = JSON.stringify([
    error.message,
    error.details,
    error.stack,
    String(error.cause),
    logged,
  ]);
  for (const secret of secrets) expect(shown).not.toContain(secret);
  expect(error.code).toBe("PROVIDER_ERROR");
  return { turn, error };
}

describe("a provider that refuses", () => {
  it("because of its rate says when to come back, and is not asked again before", async () => {
    await using provider = await startProvider((response) =>
      fail(response, 429, { "retry-after": "30" }),
    );
    const { error } = await failingTurn(provider.url);
    expect(error.message).toBe("openai: rate limit (HTTP 429); try again in 30 s");
    expect(error.details).toEqual({ reason: "rate_limited", status: 429, retry_after: 30 });
    expect(provider.bodies).toHaveLength(1);
  });

  it("for a moment is asked again after that moment", async () => {
    await using provider = await startProvider((response, attempt) =>
      attempt === 1 ? fail(response, 429, { "retry-after": "2" }) : answerWell(response),
    );
    const clock = impatientClock();
    const { turn, running } = start(provider.url, { clock });
    await running;
    expect(turn.text).toBe("Fine.");
    expect(clock.waits).toEqual([2_000]);
  });

  it.each([500, 502, 503, 529])(
    "with HTTP %i is asked again twice, with a growing pause",
    async (status) => {
      await using provider = await startProvider((response) => fail(response, status));
      const clock = impatientClock();
      const { error } = await failingTurn(provider.url, { clock });
      expect(error.message).toContain(`HTTP ${status}`);
      expect(provider.bodies).toHaveLength(1 + MAX_PROVIDER_RETRIES);
      expect(clock.waits).toEqual([375, 750]);
    },
  );

  it.each([400, 401, 403, 404, 422])("with HTTP %i is not asked again", async (status) => {
    await using provider = await startProvider((response) => fail(response, status));
    await failingTurn(provider.url);
    expect(provider.bodies).toHaveLength(1);
  });

  it("with an error within its stream is understood, before the first word and after it", async () => {
    const overloaded = { error: { message: secrets[1], type: "overloaded_error" } };
    await using before = await startProvider(
      (response) => (sse(response, overloaded), response.end()),
    );
    expect((await failingTurn(before.url)).error.details).toMatchObject({ reason: "overloaded" });
    expect(before.bodies).toHaveLength(1 + MAX_PROVIDER_RETRIES);

    await using after = await startProvider((response) => {
      sse(response, delta("It is"), overloaded);
      response.end();
    });
    const { error, turn } = await failingTurn(after.url);
    expect(error.details).toMatchObject({ reason: "overloaded" });
    expect(turn.recorded).toMatchObject([{ content: "It is", partial: true }]);
    expect(after.bodies).toHaveLength(1);
  });

  it("of Anthropic's kind with an error within its stream is understood too", async () => {
    await using provider = await startProvider((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const error = { type: "error", error: { type: "overloaded_error", message: secrets[1] } };
      response.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`);
    });
    const { error } = await failingTurn(provider.url, {
      provider: { name: "anthropic", model: "claude" },
    });
    expect(error.details).toMatchObject({ reason: "overloaded", status: 529 });
    expect(provider.bodies).toHaveLength(1 + MAX_PROVIDER_RETRIES);
  });
});

describe("a provider that cannot be reached", () => {
  it("is tried again, and then said to be out of reach, without its address", async () => {
    const gone = await startProvider(() => {});
    await gone[Symbol.asyncDispose]();
    const clock = impatientClock();
    const { error } = await failingTurn(gone.url, { clock });
    expect(error.message).toBe("openai: the provider could not be reached: connection refused");
    expect(clock.waits).toHaveLength(MAX_PROVIDER_RETRIES);
  });

  it("may hang up before it answers, once", async () => {
    await using provider = await startProvider((response, attempt) =>
      attempt === 1 ? void response.destroy() : answerWell(response),
    );
    const { turn, running } = start(provider.url);
    await running;
    expect(turn.text).toBe("Fine.");
  });

  it("is not waited for once the turn is cancelled", async () => {
    await using provider = await startProvider((response) => fail(response, 503));
    const clock = new ManualClock();
    const stop = new AbortController();
    const { running } = start(provider.url, { clock, signal: stop.signal });
    const outcome = rejectionOf(running);
    await vi.waitUntil(() => provider.bodies.length === 1 && clock.pendingTimers === 1);
    stop.abort(new Error("cancelled"));
    expect(await outcome).toMatchObject({ message: "cancelled" });
    expect(provider.bodies).toHaveLength(1);
  });
});

describe("a provider that falls silent", () => {
  it.each([
    ["before it answers", () => {}],
    ["after its first words", (response: ServerResponse) => sse(response, delta("It is"))],
  ])("%s is given up after a minute", async (_when, answer) => {
    const closed = Promise.withResolvers<void>();
    await using provider = await startProvider((response) => {
      response.once("close", closed.resolve);
      answer(response);
    });
    const clock = new ManualClock();
    const said = Promise.withResolvers<void>();
    const failing = failingTurn(provider.url, { clock, onEvent: () => said.resolve() });
    await vi.waitUntil(() => provider.bodies.length === 1 && clock.pendingTimers === 1);
    if (_when.startsWith("after")) await said.promise;
    await clock.advance(PROVIDER_IDLE_LIMIT_MS);
    expect((await failing).error.message).toBe(
      "openai: timeout; the provider sent nothing for 90 seconds",
    );
    await closed.promise;
    expect(provider.bodies).toHaveLength(1);
  });
});

describe("a provider that sends something else", () => {
  it.each<[string, string, (response: ServerResponse) => void]>([
    [
      "a page",
      "malformed",
      (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    ],
    ["nothing", "empty", (response) => response.writeHead(200).end()],
    ["broken JSON", "malformed", (response) => (sse(response, "{broken"), response.end())],
    ["another shape", "malformed", (response) => (sse(response, { choices: 7 }), response.end())],
    ["no end", "interrupted", (response) => (sse(response, delta("It is")), response.end())],
    [
      "a redirect",
      "redirected",
      (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    ],
  ])("%s ends in an error", async (_what, reason, answer) => {
    await using provider = await startProvider(answer);
    expect((await failingTurn(provider.url)).error.details).toMatchObject({ reason });
  });

  it("is not asked again once something was said", async () => {
    await using provider = await startProvider((response) => {
      sse(response, delta("It is"));
      setImmediate(() => response.destroy());
    });
    const { turn } = await failingTurn(provider.url);
    expect(turn.text).toBe("It is");
    expect(provider.bodies).toHaveLength(1);
  });

  it("may write comments between its events, and line ends of its own", async () => {
    await using provider = await startProvider((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": keep-alive\r\n\r\n");
      response.write(`data: ${JSON.stringify(delta("Fi"))}\r\n\r\n: again\r\n\r\n`);
      answerWell(response, "ne.");
    });
    const { turn, running } = start(provider.url);
    await running;
    expect(turn.text).toBe("Fine.");
  });
});

describe("what a model does not support", () => {
  it("is said once, and in the log only", async () => {
    await using provider = await startProvider((response) => answerWell(response));
    const logged: string[] = [];
    const handler = createRuntimeHandler({
      readSecret: () => Promise.resolve("sk-secret-key"),
      clock: systemClock,
      log: createLog({ destination: { write: (line) => void logged.push(line) } }),
    });
    const config = aRuntimeConfig({ provider: { baseURL: provider.url, parameters: { topK: 5 } } });
    for (let turns = 0; turns < 2; turns += 1) await handler.run(new RecordingTurn(config));
    expect(logged.map((line) => (JSON.parse(line) as { features: unknown }).features)).toEqual([
      ["topK"],
    ]);
  });
});

describe("a deployment that takes one name of the token limit only", () => {
  it.each(["max_tokens", "max_completion_tokens"] as const)(
    "is asked with that name, and found out once (%s)",
    async (taken) => {
      const other = taken === "max_tokens" ? "max_completion_tokens" : "max_tokens";
      await using server = await startHttpServer(async (request, response) => {
        const body = (await json(request)) as Record<string, unknown>;
        bodies.push(body);
        if (!(other in body)) return answerWell(response);
        const message = `Unsupported parameter: '${other}' is not supported with this model.`;
        const error = { message, param: other, code: "unsupported_parameter" };
        response.writeHead(400, { "content-type": "application/json" });
        response.end(JSON.stringify({ error }));
      });
      const bodies: Record<string, unknown>[] = [];
      const handler = createRuntimeHandler({
        readSecret: () => Promise.resolve("sk-secret-key"),
        clock: systemClock,
        log: createLog({ level: "silent" }),
      });
      // The name of the model suggests the name that is not taken.
      const model = taken === "max_tokens" ? "gpt-5-mini" : "my-deployment";
      const parameters = { maxTokens: 256 };
      const config = aRuntimeConfig({ provider: { baseURL: server.url, model, parameters } });
      for (let turns = 0; turns < 2; turns += 1) {
        const turn = new RecordingTurn(config);
        await handler.run(turn);
        expect(turn.text).toBe("Fine.");
      }
      expect(bodies.map((body) => [body[taken], body[other]])).toEqual([
        [undefined, 256],
        [256, undefined],
        [256, undefined],
      ]);
    },
  );
});

describe("what departs from a provider's protocol", () => {
  it("is read all the same, and logged once, by name and without what is in it", async () => {
    await using provider = await startProvider((response) => {
      sse(response, "null");
      response.write('event: gossip\ndata: {"private":"what the provider said"}\n\n');
      answerWell(response);
    });
    const logged: string[] = [];
    const handler = createRuntimeHandler({
      readSecret: () => Promise.resolve("sk-secret-key"),
      clock: systemClock,
      log: createLog({ destination: { write: (line) => void logged.push(line) } }),
    });
    const config = aRuntimeConfig({ provider: { baseURL: provider.url } });
    for (let turns = 0; turns < 2; turns += 1) {
      const turn = new RecordingTurn(config);
      await handler.run(turn);
      expect(turn.text).toBe("Fine.");
    }
    expect(logged).toHaveLength(1);
    const [line] = logged.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(line).toMatchObject({ departures: { data: 1, "event:gossip": 1 } });
    for (const secret of secrets) expect(logged[0]).not.toContain(secret);
  });
});

describe("what a provider wants back", () => {
  const tool = aTool({
    url: "http://127.0.0.1:1/",
    name: "get-weather",
    inputSchema: { type: "object" },
  });

  async function runWithTool(provider: Partial<ProviderConfig> & { baseURL: string }) {
    const handler = createRuntimeHandler({
      readSecret: () => Promise.resolve("sk-secret-key"),
      clock: impatientClock(),
      log: createLog({ level: "silent" }),
    });
    const turn = new RecordingTurn(aRuntimeConfig({ provider, tools: [tool] }));
    await handler.run(turn);
    return JSON.parse(JSON.stringify(turn.recorded)) as typeof turn.recorded;
  }

  it("of Anthropic's thoughts goes back signed, and in its place", async () => {
    await using provider = await startProvider((response, attempt) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const usage = { input_tokens: 1, output_tokens: 1 };
      const message = {
        id: "m",
        type: "message",
        role: "assistant",
        model: "c",
        content: [],
        usage,
      };
      const blocks: [object, object[]][] =
        attempt === 1
          ? [
              [
                { type: "thinking", thinking: "" },
                [
                  { type: "thinking_delta", thinking: "Hm." },
                  { type: "signature_delta", signature: "signed" },
                ],
              ],
              [{ type: "redacted_thinking", data: "opaque" }, []],
              [{ type: "text", text: "" }, [{ type: "text_delta", text: "Let me look." }]],
              [
                { type: "tool_use", id: "t1", name: "get-weather", input: {} },
                [{ type: "input_json_delta", partial_json: "{}" }],
              ],
            ]
          : [[{ type: "text", text: "" }, [{ type: "text_delta", text: "Sunny." }]]];
      const events: object[] = [{ type: "message_start", message }];
      for (const [index, [content_block, deltas]] of blocks.entries()) {
        events.push({ type: "content_block_start", index, content_block });
        for (const part of deltas) events.push({ type: "content_block_delta", index, delta: part });
        events.push({ type: "content_block_stop", index });
      }
      const stop_reason = attempt === 1 ? "tool_use" : "end_turn";
      events.push(
        { type: "message_delta", delta: { stop_reason }, usage },
        { type: "message_stop" },
      );
      sse(response, ...events);
      response.end();
    });
    await runWithTool({ baseURL: provider.url, name: "anthropic", model: "claude-sonnet-4-5" });
    expect(provider.bodies[1].messages[1]).toEqual({
      role: "assistant",
      content: [
        { type: "thinking", thinking: "Hm.", signature: "signed" },
        { type: "redacted_thinking", data: "opaque" },
        { type: "text", text: "Let me look." },
        { type: "tool_use", id: "t1", name: "get-weather", input: {} },
      ],
    });
  });

  it("of Google's thoughts goes back with each part that was signed", async () => {
    await using provider = await startProvider((response, attempt) => {
      const parts =
        attempt === 1
          ? [
              { text: "Let me look." },
              { functionCall: { name: "get-weather", args: {} }, thoughtSignature: "signed" },
            ]
          : [{ text: "Sunny.", thoughtSignature: "signed too" }];
      sse(response, { candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }] });
      response.end();
    });
    const google = { baseURL: provider.url, name: "google", model: "gemini-3-pro" } as const;
    const recorded = await runWithTool(google);
    expect(provider.bodies[1].contents[1].parts).toMatchObject([
      { text: "Let me look." },
      { functionCall: { name: "get-weather" }, thoughtSignature: "signed" },
    ]);
    const next = new RecordingTurn(aRuntimeConfig({ provider: google }), { history: recorded });
    const handler = createRuntimeHandler({
      readSecret: () => Promise.resolve("sk-secret-key"),
      clock: impatientClock(),
      log: createLog({ level: "silent" }),
    });
    await handler.run(next);
    expect(provider.bodies[2].contents.at(-2).parts).toEqual([
      { text: "Let me look.\n\n" },
      { text: "Sunny.", thoughtSignature: "signed too" },
    ]);
  });

  it("of OpenAI's thoughts goes back encrypted, and nothing is kept at the provider", async () => {
    await using provider = await startProvider((response, attempt) => {
      const reasoning = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "opaque" };
      const call = {
        type: "function_call",
        id: "fc_1",
        call_id: "c1",
        name: "get-weather",
        arguments: "{}",
      };
      const said = { type: "message", id: "msg_1", role: "assistant" };
      const items = attempt === 1 ? [reasoning, call] : [said];
      const events: object[] = [
        { type: "response.created", response: { id: "r", created_at: 1, model: "gpt-5" } },
      ];
      for (const [output_index, item] of items.entries()) {
        events.push({ type: "response.output_item.added", output_index, item });
        if (item === said) {
          events.push({
            type: "response.output_text.delta",
            item_id: "msg_1",
            output_index,
            delta: "Sunny.",
          });
        }
        events.push({
          type: "response.output_item.done",
          output_index,
          item: item === call ? { ...item, status: "completed" } : item,
        });
      }
      const usage = { input_tokens: 1, output_tokens: 1 };
      events.push({ type: "response.completed", response: { usage } });
      sse(response, ...events);
      response.end();
    });
    await runWithTool({ baseURL: provider.url, model: "gpt-5", api: "responses" });
    const [first, second] = provider.bodies;
    expect(first).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
    expect(second.input.slice(2, 5)).toMatchObject([
      { type: "reasoning", encrypted_content: "opaque" },
      { type: "function_call", call_id: "c1" },
      { type: "function_call_output", call_id: "c1" },
    ]);
    expect(JSON.stringify(second.input)).not.toContain("item_reference");
  });
});
