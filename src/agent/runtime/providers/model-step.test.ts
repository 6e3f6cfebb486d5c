/** What becomes of an answer must not depend on how the network cuts its stream, nor on how fast its text is taken. */
import { setImmediate as nextTick } from "node:timers/promises";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../../test/support/builders/manual-clock.ts";
import { createLog } from "../../../observability/log.ts";
import { createCompatibleModel } from "./compatible-model.ts";
import type { ModelConnection } from "./model-connection.ts";
import { newModelStep, streamModelStep, type ModelStep } from "./model-step.ts";
import { createAnthropicMender } from "./stream/anthropic-stream.ts";
import { createChatMender, createOpenAIChatMender } from "./stream/chat-stream.ts";
import { createGoogleMender } from "./stream/google-stream.ts";
import { createLenientFetch } from "./stream/lenient-fetch.ts";
import { createResponsesMender } from "./stream/responses-stream.ts";
import type { CreateStreamMender } from "./stream/stream-mender.ts";

type Settings = { baseURL: string; apiKey: string; fetch: typeof fetch };

/** A part of an answer: a piece of text, a piece of a thought, or a call. */
type Said = { text: string } | { thought: string } | { call: string };

interface Api {
  readonly createMender: CreateStreamMender;
  readonly model: (settings: Settings) => ModelConnection["model"];
  readonly provider: ModelConnection["provider"];
  /** The events of an answer. */
  readonly events: (answer: readonly Said[]) => object[];
}

function chatEvents(answer: readonly Said[]): object[] {
  let calls = 0;
  return [
    { choices: [{ index: 0, delta: { role: "assistant", content: "" } }] },
    ...answer.map((said) => {
      const call = { index: calls, id: `c${calls}`, function: { name: "look", arguments: "{}" } };
      const delta =
        "text" in said
          ? { content: said.text }
          : "thought" in said
            ? { reasoning_content: said.thought }
            : { tool_calls: [call] };
      if ("call" in said) calls += 1;
      return { choices: [{ index: 0, delta }] };
    }),
    { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
    { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
  ];
}

/** Blocks, or items, begin and end where the kind of what is said changes. */
function inBlocks(answer: readonly Said[]): Said[][] {
  const blocks: Said[][] = [];
  let kind = "";
  for (const said of answer) {
    const [of = ""] = Object.keys(said);
    if (of !== kind || of === "call") blocks.push([]);
    kind = of;
    blocks.at(-1)?.push(said);
  }
  return blocks;
}

function messagesEvents(answer: readonly Said[]): object[] {
  const events = inBlocks(answer).flatMap((block, index) => {
    const [first] = block;
    const content_block =
      first === undefined || "text" in first
        ? { type: "text", text: "" }
        : "thought" in first
          ? { type: "thinking", thinking: "" }
          : { type: "tool_use", id: `c${index}`, name: "look", input: {} };
    const deltas = block.flatMap((said) =>
      "text" in said
        ? { type: "text_delta", text: said.text }
        : "thought" in said
          ? { type: "thinking_delta", thinking: said.thought }
          : [],
    );
    return [
      { type: "content_block_start", index, content_block },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ];
  });
  return [
    { type: "message_start", message: { id: "m", usage: { input_tokens: 1 } } },
    ...events,
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
    { type: "message_stop" },
  ];
}

function responsesEvents(answer: readonly Said[]): object[] {
  const events = inBlocks(answer).flatMap((block, output_index) => {
    const [first] = block;
    const item_id = `i${output_index}`;
    if (first !== undefined && "call" in first) {
      const item = { type: "function_call", id: item_id, call_id: item_id, name: "look" };
      return [
        { type: "response.output_item.added", output_index, item: { ...item, arguments: "" } },
        { type: "response.output_item.done", output_index, item: { ...item, arguments: "{}" } },
      ];
    }
    const type = first !== undefined && "thought" in first ? "reasoning" : "message";
    const item = { type, id: item_id };
    return [
      { type: "response.output_item.added", output_index, item },
      ...block.map((said) => ({
        type:
          type === "message"
            ? "response.output_text.delta"
            : "response.reasoning_summary_text.delta",
        item_id,
        output_index,
        delta: "text" in said ? said.text : "thought" in said ? said.thought : "",
        summary_index: 0,
      })),
      { type: "response.output_item.done", output_index, item },
    ];
  });
  return [
    ...events,
    { type: "response.completed", response: { usage: { input_tokens: 1, output_tokens: 2 } } },
  ];
}

function googleEvents(answer: readonly Said[]): object[] {
  return [
    ...answer.map((said, at) => {
      const part =
        "text" in said
          ? { text: said.text }
          : "thought" in said
            ? { text: said.thought, thought: true }
            : { functionCall: { id: `c${at}`, name: "look", args: {} } };
      const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: at };
      return { candidates: [{ content: { parts: [part] } }], usageMetadata };
    }),
    { candidates: [{ finishReason: "STOP" }] },
  ];
}

const APIS: Record<string, Api> = {
  "compatible servers": {
    createMender: createChatMender,
    model: (settings) => createCompatibleModel("m", settings),
    provider: "openai",
    events: chatEvents,
  },
  "chat completions": {
    createMender: createOpenAIChatMender,
    model: (settings) => createOpenAI(settings).chat("m"),
    provider: "openai",
    events: chatEvents,
  },
  responses: {
    createMender: createResponsesMender,
    model: (settings) => createOpenAI(settings).responses("m"),
    provider: "openai",
    events: responsesEvents,
  },
  messages: {
    createMender: createAnthropicMender,
    model: (settings) => createAnthropic(settings)("m"),
    provider: "anthropic",
    events: messagesEvents,
  },
  generateContent: {
    createMender: createGoogleMender,
    model: (settings) => createGoogle(settings)("m"),
    provider: "google",
    events: googleEvents,
  },
};

interface Course {
  /** How many bytes come at a time, again and again in this order. */
  readonly reads: readonly number[];
  /** How long the taker of a text lets the stream wait, in turns of the event loop. */
  readonly waits: readonly number[];
  /** Whether text may go past the package. */
  readonly mayBypass: boolean;
}

async function run(api: Api, answer: readonly Said[], course: Course) {
  const body = api.events(answer).map((event) => `data: ${JSON.stringify(event)}\n\n`);
  const bytes = Buffer.from(body.join(""));
  const network: typeof fetch = () => {
    let at = 0;
    let reads = 0;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const size = course.reads[reads++ % course.reads.length] ?? 1;
        // A read of many bytes is not always waited for: what came earlier is there at once.
        if (size % 3 > 0) await nextTick();
        controller.enqueue(bytes.subarray(at, at + size));
        at += size;
        if (at >= bytes.length) controller.close();
      },
    });
    return Promise.resolve(new Response(stream));
  };
  const clock = new ManualClock();
  const lenient = createLenientFetch({
    fetch: network,
    createMender: api.createMender,
    clock,
    onDepartures: () => {},
  });
  const model = api.model({
    baseURL: "http://model.test",
    apiKey: "k",
    fetch: course.mayBypass ? lenient : (input, init) => lenient(input, { ...init, signal: null }),
  });
  const texts: string[] = [];
  const step: ModelStep = newModelStep();
  await streamModelStep(step, {
    connection: { provider: api.provider, modelId: "m", model, callOptions: {} },
    options: { prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }] },
    signal: new AbortController().signal,
    onText: (text) => {
      const turns = course.waits[texts.length % course.waits.length] ?? 0;
      texts.push(text);
      return turns === 0 ? undefined : waitFor(turns);
    },
    clock,
    random: () => 0,
    log: createLog({ level: "silent" }),
  });
  return { step, text: texts.join("") };
}

async function waitFor(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTick();
}

const word = fc.string({ minLength: 1, maxLength: 6, unit: "grapheme" });
/** The same texts again and again, since a mistake of the order is easiest made among these. */
const piece = fc.oneof(fc.constantFrom("a", "aa", "b "), word);
const answers = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: piece.map((text) => ({ text })) },
    { weight: 1, arbitrary: piece.map((thought) => ({ thought })) },
    { weight: 1, arbitrary: fc.constant({ call: "look" }) },
  ),
  { minLength: 1, maxLength: 30 },
);
const courses = fc.record({
  reads: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }),
  waits: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
});

describe.each(Object.entries(APIS))("an answer in %s", (_name, api) => {
  it("is the same however its stream is cut and its text is taken", async () => {
    await fc.assert(
      fc.asyncProperty(answers, courses, async (answer, course) => {
        fc.pre(answer.some((said) => "text" in said));
        const whole = { reads: [1_000_000], waits: [0], mayBypass: false };
        const expected = await run(api, answer, whole);
        const said = answer.map((part) => ("text" in part ? part.text : "")).join("");
        expect(expected.text).toBe(said.toWellFormed());
        expect(await run(api, answer, { ...course, mayBypass: true })).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe("text that goes past the package", () => {
  it("makes the stream wait that is not taken", async () => {
    const events = chatEvents([{ text: "a" }, { text: "b" }, { text: "c" }, { text: "d" }]);
    let reads = 0;
    const network: typeof fetch = () => {
      const stream = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            await nextTick();
            const event = events[reads++];
            if (event === undefined) controller.close();
            else controller.enqueue(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
          },
        },
        { highWaterMark: 0 },
      );
      return Promise.resolve(new Response(stream));
    };
    const clock = new ManualClock();
    const model = createCompatibleModel("m", {
      baseURL: "http://model.test",
      apiKey: "k",
      fetch: createLenientFetch({
        fetch: network,
        createMender: createChatMender,
        clock,
        onDepartures: () => {},
      }),
    });
    const texts: string[] = [];
    const room = Promise.withResolvers<void>();
    const step = newModelStep();
    const ended = streamModelStep(step, {
      connection: { provider: "openai", modelId: "m", model, callOptions: {} },
      options: { prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }] },
      signal: new AbortController().signal,
      onText: (text) => (texts.push(text) === 2 ? room.promise : undefined),
      clock,
      random: () => 0,
      log: createLog({ level: "silent" }),
    });
    await waitFor(20);
    // The event with the role, and those of two texts.
    expect([texts, reads]).toEqual([["a", "b"], 3]);
    room.resolve();
    await ended;
    expect(texts).toEqual(["a", "b", "c", "d"]);
  });
});
