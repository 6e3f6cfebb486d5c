import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../../../test/support/builders/rejection-of.ts";
import { ANSWER_LINGER_MS } from "../../../contracts/limits.ts";
import { createAnthropicMender } from "./anthropic-stream.ts";
import { createChatMender } from "./chat-stream.ts";
import { createGoogleMender } from "./google-stream.ts";
import { createLenientFetch } from "./lenient-fetch.ts";
import { NotAStreamError } from "./not-a-stream.ts";
import { createResponsesMender } from "./responses-stream.ts";
import type { CreateStreamMender } from "./stream-mender.ts";

const encoder = new TextEncoder();

interface Exchange {
  pieces: readonly (string | Uint8Array)[];
  createMender?: CreateStreamMender;
  /** The server does not end its answer. */
  staysOpen?: boolean;
  status?: number;
  headers?: Record<string, string>;
  request?: string;
}

/** Asks a server that answers with these pieces. */
async function ask({ pieces, createMender = createChatMender, ...exchange }: Exchange) {
  const clock = new ManualClock();
  const departures: Record<string, number>[] = [];
  const sent: unknown[] = [];
  let isCancelled = false;
  const waiting = [...pieces];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = waiting.shift();
        if (piece !== undefined) {
          return controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
        }
        if (exchange.staysOpen !== true) controller.close();
        return undefined;
      },
      cancel: () => void (isCancelled = true),
    },
    { highWaterMark: 0 },
  );
  const fetch = createLenientFetch({
    fetch: (_input, init) => {
      sent.push(init?.body);
      const { status = 200, headers = {} } = exchange;
      return Promise.resolve(new Response(body, { status, headers }));
    },
    createMender,
    clock,
    onDepartures: (counts) => void departures.push(counts),
  });
  const response = await fetch("http://model.example", {
    method: "POST",
    body: exchange.request ?? "{}",
  });
  return { response, clock, departures, sent, isCancelled: () => isCancelled };
}

/** The values of the events that the package is given. */
async function eventsOf(exchange: Exchange): Promise<unknown[]> {
  const text = await (await ask(exchange)).response.text();
  return text.split("\n\n").flatMap((event) => {
    return event === "" ? [] : [JSON.parse(event.replace("data: ", "")) as unknown];
  });
}

function sse(...events: unknown[]): string {
  return events
    .map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`)
    .join("");
}

const SAID = [
  { choices: [{ delta: { content: "Grüße " } }] },
  { choices: [{ delta: { reasoning: "👩‍👩‍👧" } }] },
  { choices: [{ delta: {}, finish_reason: "stop" }] },
];
const CHUNKS = sse(...SAID, "[DONE]");

describe("an answer on its way to the package", () => {
  it("has only what the agent has a use for", async () => {
    const noise = { id: "c", object: "chat.completion.chunk", created: 1, model: "m", x: {} };
    const chunk = { ...noise, choices: [{ index: 0, delta: { content: "a" }, logprobs: null }] };
    expect(await eventsOf({ pieces: [sse(chunk, SAID[2])] })).toEqual([
      { choices: [{ delta: { content: "a" } }] },
      SAID[2],
    ]);
  });

  it("is the same wherever its bytes are split", async () => {
    const bytes = encoder.encode(`\uFEFF${CHUNKS}`);
    const cuts = fc.array(fc.nat(bytes.length), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const at = [0, ...places, bytes.length].sort((a, b) => a - b);
        const pieces = at.slice(1).map((cut, index) => bytes.subarray(at[index], cut));
        expect(await eventsOf({ pieces })).toEqual(SAID);
      }),
      { numRuns: 50 },
    );
  });

  it("ends with its last event, and what the server still sends is read for a while only", async () => {
    const { response, clock, isCancelled } = await ask({ pieces: [CHUNKS], staysOpen: true });
    expect(await response.text()).toBe(sse(...SAID));
    expect(isCancelled()).toBe(false);
    await clock.advance(ANSWER_LINGER_MS);
    expect(isCancelled()).toBe(true);
  });

  it("leaves the rest unread when the package wants no more", async () => {
    const { response, isCancelled } = await ask({ pieces: [CHUNKS], staysOpen: true });
    await response.body?.cancel();
    expect(isCancelled()).toBe(true);
  });

  it("counts by name where it departs from its protocol", async () => {
    const pieces = [
      sse({ tool: "secret" }, "null", "null"),
      `event: gossip\ndata: {"secret":1}\n\n`,
      CHUNKS,
    ];
    const { response, departures } = await ask({ pieces });
    await response.text();
    expect(departures).toEqual([{ "keys:tool": 1, data: 2, "event:gossip": 1 }]);
  });

  it("is not told to depart where it does not", async () => {
    const { response, departures } = await ask({ pieces: [CHUNKS] });
    await response.text();
    expect(departures).toEqual([]);
  });

  it("stays as it is when it is a refusal", async () => {
    const { response } = await ask({ pieces: ["<html>"], status: 503 });
    expect(await response.text()).toBe("<html>");
  });

  it("keeps JSON that is broken in its middle, and not what was cut at its end", async () => {
    const broken = await ask({ pieces: [`data: {"choices":[\n\n${CHUNKS}`] });
    expect(await broken.response.text()).toContain('data: {"choices":[\n\n');
    const cut = [sse(SAID[0]), 'data: {"choices":['];
    expect(await eventsOf({ pieces: cut })).toEqual([
      SAID[0],
      { choices: [{ delta: {}, finish_reason: "" }] },
    ]);
  });
});

describe("a request of the package", () => {
  it("is well-formed Unicode", async () => {
    const { sent } = await ask({ pieces: [CHUNKS], request: '{"a":"\\ud83d"}' });
    expect(sent).toEqual(['{"a":"\uFFFD"}']);
  });
});

describe("a success that is no stream", () => {
  it.each<[string, Partial<NotAStreamError>, string[], Record<string, string>?]>([
    [
      "a page",
      { what: "an HTML page", contentType: "text/html" },
      [" <!doctype html>", "<p>"],
      { "content-type": "text/html; charset=utf-8" },
    ],
    ["nothing", { what: "an empty body", contentType: undefined }, []],
    ["blanks", { what: "an empty body" }, [" ", "\n"]],
    ["a text", { what: "a text" }, ["upstream error"], { "content-type": "secret" }],
    ["an error", { what: "an error", error: { code: 5 } }, ['{"error":', '{"code":5}}']],
    ["an error in other words", { what: "an error" }, ['{"detail":"Not Found"}']],
    ["other JSON", { what: "JSON that is no answer" }, ['{"ok":true}']],
    ["an empty list", { what: "JSON that is no answer" }, ["[]"]],
    ["lines of other JSON", { what: "JSON that is no answer" }, ['{"ok":1}\n', '{"ok":2}\n']],
  ])("is told: %s", async (_what, wanted, pieces, headers = {}) => {
    const { response } = await ask({ pieces, headers });
    const error = await rejectionOf(response.text());
    expect(error).toBeInstanceOf(NotAStreamError);
    expect(error).toMatchObject({ status: 200, ...wanted });
  });

  it("is told where the server says that there is no content", async () => {
    const fetch = createLenientFetch({
      fetch: () => Promise.resolve(new Response(null, { status: 204 })),
      createMender: createChatMender,
      clock: new ManualClock(),
      onDepartures: () => {},
    });
    const response = await fetch("http://model.example", { method: "POST", body: "{}" });
    expect(await rejectionOf(response.text())).toMatchObject({
      what: "an empty body",
      status: 204,
    });
  });

  it("may be a stream all the same that begins with a line of JSON", async () => {
    expect(await eventsOf({ pieces: ['{"note":1}\n\n', CHUNKS] })).toEqual(SAID);
  });

  it.each<[string, CreateStreamMender, object, unknown[]]>([
    [
      "chat completions",
      createChatMender,
      {
        choices: [
          {
            message: {
              content: "Hi",
              tool_calls: [{ id: 1, function: { name: "f", arguments: {} } }],
            },
          },
        ],
      },
      [
        {
          choices: [
            {
              delta: {
                content: "Hi",
                tool_calls: [{ index: 0, id: "1", function: { name: "f", arguments: "{}" } }],
              },
              finish_reason: "stop",
            },
          ],
        },
      ],
    ],
    [
      "Anthropic",
      createAnthropicMender,
      { content: "Hi", stop_reason: "max_tokens", usage: { input_tokens: 1, output_tokens: 2 } },
      [
        { type: "message_start", message: { usage: { input_tokens: 1 } } },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
        { type: "content_block_stop", index: 0 },
        {
          type: "message_delta",
          delta: { stop_reason: "max_tokens" },
          usage: { output_tokens: 2, input_tokens: 1 },
        },
        { type: "message_stop" },
      ],
    ],
    [
      "Google",
      createGoogleMender,
      { candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }] },
      [{ candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }] }],
    ],
    [
      "Responses",
      createResponsesMender,
      { output: [{ type: "message", id: "m", content: [{ text: "Hi" }] }], status: "completed" },
      [
        { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "m" } },
        { type: "response.output_text.delta", item_id: "m", output_index: 0, delta: "Hi" },
        { type: "response.output_item.done", output_index: 0, item: { type: "message", id: "m" } },
        { type: "response.completed", response: {} },
      ],
    ],
  ])("is taken when it is a whole answer of %s", async (_api, createMender, answer, wanted) => {
    const whole = JSON.stringify(answer, undefined, 2);
    const pieces = ["  \n", whole.slice(0, 20), whole.slice(20)];
    expect(await eventsOf({ pieces, createMender })).toEqual(wanted);
  });
});
