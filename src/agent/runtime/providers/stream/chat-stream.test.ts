import { createOpenAI } from "@ai-sdk/openai";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../../../test/support/builders/rejection-of.ts";
import { createCompatibleModel } from "../compatible-model.ts";
import { createChatMender } from "./chat-stream.ts";
import { Departures } from "./departures.ts";
import type { Fields } from "./json-fields.ts";
import { createLenientFetch } from "./lenient-fetch.ts";

function mend(...events: (Fields | [string, Fields])[]): Fields[] {
  const mender = createChatMender(new Departures());
  return events.flatMap((event) =>
    Array.isArray(event) ? mender.mend(event[1], event[0]) : mender.mend(event, undefined),
  );
}

const delta = (fields: unknown): Fields => ({ choices: [{ index: 0, delta: fields }] });
const call = (fields: unknown): Fields => delta({ tool_calls: [fields] });

describe("a chunk of a chat completion", () => {
  it.each<[string, Fields, unknown]>([
    ["a text", { content: "a", role: "" }, { content: "a" }],
    [
      "a text in parts",
      { content: ["a", { type: "text", text: "b" }, { type: "x" }, null] },
      { content: "ab" },
    ],
    ["a number", { content: 18 }, { content: "18" }],
    ["one part", { content: { type: "text", text: "a" } }, { content: "a" }],
    [
      "thoughts among the parts",
      {
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "hm" }, "!"] },
          { type: "text", text: "a" },
        ],
      },
      {
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "hm!" }] },
          { type: "text", text: "a" },
        ],
      },
    ],
    ["thoughts", { reasoning_content: "hm", reasoning: "hm" }, { reasoning_content: "hm" }],
    [
      "thoughts under another name",
      { reasoning: "hm", reasoning_content: null },
      { reasoning: "hm" },
    ],
    ["a refusal", { refusal: "no", content: null }, { refusal: "no" }],
    [
      "fields of odd types",
      { content: "a", refusal: false, reasoning: {}, tool_calls: "x" },
      { content: "a" },
    ],
    [
      "one call outside of a list",
      { tool_calls: { id: "1", function: { name: "f" } } },
      { tool_calls: [{ id: "1", function: { name: "f" } }] },
    ],
    [
      "a call of old",
      { function_call: { name: "f", arguments: "{}" } },
      { tool_calls: [{ index: 0, function: { name: "f", arguments: "{}" } }] },
    ],
  ])("may have %s", (_what, fields, wanted) => {
    expect(mend(delta(fields))).toEqual([{ choices: [{ delta: wanted }] }]);
  });

  it.each<[string, unknown, unknown]>([
    [
      "arguments as an object",
      { index: 0, function: { name: "f", arguments: { a: 1 } } },
      { index: 0, function: { name: "f", arguments: '{"a":1}' } },
    ],
    [
      "neither index nor type",
      { id: "1", function: { name: "f", arguments: "" } },
      { id: "1", function: { name: "f", arguments: "" } },
    ],
    [
      "an index as a text",
      { index: "1", id: 7, function: null, name: "f" },
      { index: 1, id: "7", function: { name: "f" } },
    ],
    [
      "an empty name and id",
      { index: 0, id: "", function: { name: "", arguments: "x" } },
      { index: 0, function: { arguments: "x" } },
    ],
    [
      "a signature",
      {
        index: 0,
        function: { name: "f" },
        extra_content: { google: { thought_signature: "S", x: 1 } },
      },
      { index: 0, function: { name: "f" }, extra_content: { google: { thought_signature: "S" } } },
    ],
    [
      "other extra content",
      { index: 0, function: { name: "f" }, extra_content: "x" },
      { index: 0, function: { name: "f" } },
    ],
  ])("may have a call with %s", (_what, fields, wanted) => {
    expect(mend(call(fields))).toEqual([{ choices: [{ delta: { tool_calls: [wanted] } }] }]);
  });

  it.each<[string, Fields, Fields[]]>([
    [
      "no choices but counts",
      { choices: null, usage: { prompt_tokens: 1, completion_tokens: "2" } },
      [{ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }],
    ],
    [
      "counts in its choice",
      { choices: [{ delta: {}, usage: { prompt_tokens: 1 } }] },
      [{ choices: [], usage: { prompt_tokens: 1, completion_tokens: 0 } }],
    ],
    [
      "counts without numbers",
      { choices: [], usage: { prompt_tokens: null, total_tokens: -1 } },
      [],
    ],
    ["a choice without delta", { choices: [{ index: 0, finish_reason: null }] }, []],
    ["an empty finish reason", { choices: [{ delta: {}, finish_reason: "" }] }, []],
    [
      "a finish reason",
      { choices: [{ finish_reason: "stop" }] },
      [{ choices: [{ delta: {}, finish_reason: "stop" }] }],
    ],
    [
      "one choice outside of a list",
      { choices: { delta: { content: "a" } } },
      [{ choices: [{ delta: { content: "a" } }] }],
    ],
    ["choices that are none", { choices: [null] }, []],
    ["choices of another protocol", { choices: 7 }, [{ choices: 7 }]],
    [
      "a text as its delta",
      { choices: [{ delta: "a" }] },
      [{ choices: [{ delta: { content: "a" } }] }],
    ],
    [
      "a text of a completion",
      { choices: [{ text: "a" }] },
      [{ choices: [{ delta: { content: "a" } }] }],
    ],
    ["an error that says nothing", { choices: [], error: null }, []],
    [
      "an error of the choice",
      { choices: [{ delta: { content: "a" }, error: { code: 5 } }] },
      [{ choices: [{ delta: { content: "a" } }] }, { error: { message: "error", code: 5 } }],
    ],
    ["an error as a text", { error: "boom" }, [{ error: { message: "boom" } }]],
    [
      "an error with a word for a code",
      { error: { status: "UNAVAILABLE", type: 7, param: "x", details: [] } },
      [{ error: { message: "error", code: "UNAVAILABLE", param: "x" } }],
    ],
    [
      "an error of old",
      { object: "error", message: "boom", code: 5 },
      [{ error: { message: "boom", code: 5 } }],
    ],
    ["nothing of a chunk", { id: "c", done: true }, []],
  ])("may have %s", (_what, chunk, wanted) => {
    expect(mend(chunk)).toEqual(wanted);
  });

  it("is left out when it is an event of the server's own, also one with an error", () => {
    expect(
      mend(["tool.log", { error: "no" }], ["x", { message: "hi" }], delta({ content: "a" })),
    ).toEqual([{ choices: [{ delta: { content: "a" } }] }]);
  });

  it("counts by its content whatever its event is called", () => {
    expect(mend(["completion", delta({ content: "a" })], ["error", { code: 5 }])).toEqual([
      { choices: [{ delta: { content: "a" } }] },
      { error: { code: 5, message: "error" } },
    ]);
  });

  it("may have a message in place of its delta, unless that repeats what was said", () => {
    const message = (content: string): Fields => ({ choices: [{ message: { content } }] });
    expect(mend(message("a"))).toEqual([{ choices: [{ delta: { content: "a" } }] }]);
    expect(mend(delta({ content: "a" }), message("a"))).toEqual([
      { choices: [{ delta: { content: "a" } }] },
    ]);
  });
});

describe("an error in a chat completion", () => {
  const settings = (said: object) => ({
    baseURL: "http://model.example/v1",
    apiKey: "k",
    fetch: createLenientFetch({
      fetch: () => Promise.resolve(new Response(`data: ${JSON.stringify(said)}\n\n`)),
      createMender: createChatMender,
      clock: new ManualClock(),
      onDepartures: () => {},
    }),
  });
  const overloaded = { choices: [], error: { message: "busy", type: "overloaded_error" } };

  it("comes out of the package for compatible servers", async () => {
    const { stream } = await createCompatibleModel("m", settings(overloaded)).doStream({
      prompt: [],
    });
    const parts = await Array.fromAsync(stream);
    expect(parts).toContainEqual({
      type: "error",
      error: expect.objectContaining(overloaded.error),
    });
  });

  it("comes out of OpenAI's own package", async () => {
    const model = createOpenAI(settings(overloaded)).chat("m");
    const error = await rejectionOf(Promise.resolve(model.doStream({ prompt: [] })));
    expect(error).toMatchObject({ statusCode: 503 });
  });
});

describe("the calls of a chat completion", () => {
  const whole = { index: 0, id: "1", function: { name: "f", arguments: '{"a":{}}' } };
  const piece = (written: string, id?: string): Fields =>
    call({ index: 0, id, function: { name: "f", arguments: written } });

  it("are left out where they come once more as a whole", () => {
    expect(mend(call(whole), call(whole))).toHaveLength(1);
    expect(mend(piece('{"a":', "1"), piece("{}"), piece("}", "1"), call(whole))).toHaveLength(3);
  });

  it("count each where they differ in anything", () => {
    expect(mend(call(whole), call({ ...whole, id: "2" }))).toHaveLength(2);
    expect(mend(call(whole), call({ ...whole, index: 1 }))).toHaveLength(2);
    expect(
      mend(call(whole), call({ ...whole, function: { name: "f", arguments: "{}" } })),
    ).toHaveLength(2);
    expect(mend(call({ ...whole, id: null }), call({ ...whole, id: null }))).toHaveLength(2);
  });

  it("begin once, also when the event came twice", () => {
    expect(mend(piece("", "1"), piece("", "1"), piece("{}"))).toHaveLength(2);
    expect(mend(piece("", "1"), piece("{}"), piece("", "2"))).toHaveLength(3);
  });

  it("are told apart where two tools are called with one index", () => {
    const begin = (id: string, name: string): Fields =>
      call({ index: 0, id, function: { name, arguments: "" } });
    const rest = call({ index: 0, function: { arguments: "{}" } });
    const indexes = mend(begin("1", "f"), begin("2", "g"), rest, begin("3", "h"), rest)
      .flatMap(({ choices }) => choices as { delta: { tool_calls: Fields[] } }[])
      .flatMap((choice) => choice.delta.tool_calls.map(({ index }) => index));
    const [f, g, ofG, h, ofH] = indexes;
    expect(new Set([f, g, h]).size).toBe(3);
    expect([ofG, ofH]).toEqual([g, h]);
  });

  it("are made once where they are written in both forms", () => {
    const old = { name: "f", arguments: "{}" };
    expect(mend(delta({ function_call: old, tool_calls: [whole] }))).toEqual(mend(call(whole)));
  });

  it("are pieces as long as they are not whole, though two of them are the same", () => {
    expect(mend(piece("[", "1"), piece("[", "1"))).toHaveLength(2);
  });
});

describe("the end of a chat completion", () => {
  it("is not told by a reason that every chunk has, nor by a null that is a text", () => {
    const mender = createChatMender(new Departures());
    const chunk = { choices: [{ delta: { content: "a" }, finish_reason: "stop" }] };
    for (const event of [chunk, chunk]) mender.mend(event, undefined);
    expect(mender.mayEnd).toBe(false);
    const other = createChatMender(new Departures());
    other.mend({ choices: [{ delta: { content: "a" }, finish_reason: "None" }] }, undefined);
    expect(other.mayEnd).toBe(false);
  });

  it("is there in a whole answer without a reason, and not in a chunk that came alone", () => {
    const endOf = (choice: Fields): unknown => {
      const mender = createChatMender(new Departures());
      mender.fromWhole({ choices: [choice] });
      return mender.atEnd().length === 0;
    };
    expect(endOf({ message: { content: "a" } })).toBe(true);
    expect(endOf({ delta: { content: "a" } })).toBe(false);
    expect(endOf({ delta: { content: "a" }, finish_reason: "stop" })).toBe(true);
  });

  it("is an empty finish reason where the server gave none", () => {
    const mender = createChatMender(new Departures());
    mender.mend(delta({ content: "a" }), undefined);
    expect(mender.mayEnd).toBe(false);
    expect(mender.atEnd()).toEqual([{ choices: [{ delta: {}, finish_reason: "" }] }]);
    mender.mend({ choices: [{ finish_reason: "stop" }] }, undefined);
    expect(mender.mayEnd).toBe(true);
    expect(mender.atEnd()).toEqual([]);
  });
});
