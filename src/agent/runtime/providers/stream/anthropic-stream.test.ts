import { describe, expect, it } from "vitest";
import { createAnthropicMender } from "./anthropic-stream.ts";
import { Departures } from "./departures.ts";
import type { Fields } from "./json-fields.ts";

/** The events in place of these, and those that the stream lacks at its end. */
function mend(...events: (Fields | [string, Fields])[]): Fields[] {
  const mender = createAnthropicMender(new Departures());
  const mended = events.flatMap((event) =>
    Array.isArray(event) ? mender.mend(event[1], event[0]) : mender.mend(event, undefined),
  );
  return [...mended, ...mender.atEnd()];
}

const start = (index: number, content_block: Fields): Fields => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, fields: Fields): Fields => ({
  type: "content_block_delta",
  index,
  delta: fields,
});
const text = (index: number, said: string): Fields =>
  delta(index, { type: "text_delta", text: said });
const stop = (index: number): Fields => ({ type: "content_block_stop", index });
const message = {
  type: "message_delta",
  delta: { stop_reason: "end_turn" },
  usage: { output_tokens: 0 },
};
const end = { type: "message_stop" };

describe("an event of Anthropic's protocol", () => {
  it.each<[string, (Fields | [string, Fields])[], Fields[]]>([
    [
      "a message without counts",
      [{ type: "message_start", message: { id: "m" } }],
      [{ type: "message_start", message: { id: "m", usage: { input_tokens: 0 } } }],
    ],
    [
      "nothing in its message",
      [{ type: "message_start" }],
      [{ type: "message_start", message: { usage: { input_tokens: 0 } } }],
    ],
    ["no type but a name", [["message_stop", {}]], [end]],
    ["an empty name of no meaning", [{ type: "ping" }, { type: "mood" }, ["mood", {}], {}], []],
    [
      "a text in its start",
      [start(0, { type: "text", text: "a" })],
      [start(0, { type: "text", text: "" }), text(0, "a")],
    ],
    [
      "a signed thought in its start",
      [start(0, { type: "thinking", thinking: "a", signature: "S" })],
      [
        start(0, { type: "thinking", thinking: "" }),
        delta(0, { type: "thinking_delta", thinking: "a" }),
        delta(0, { type: "signature_delta", signature: "S" }),
      ],
    ],
    [
      "input as a text",
      [start(0, { type: "tool_use", id: 1, name: "f", input: '{"a":1}' })],
      [
        start(0, { type: "tool_use", id: "1", name: "f" }),
        delta(0, { type: "input_json_delta", partial_json: '{"a":1}' }),
      ],
    ],
    [
      "no input and no id",
      [start(2, { type: "tool_use", name: "f", input: null })],
      [start(2, { type: "tool_use", id: "call_2", name: "f" })],
    ],
    [
      "a piece of input as an object",
      [
        start(0, { type: "tool_use", id: "1", name: "f" }),
        delta(0, { type: "input_json_delta", partial_json: { a: 1 } }),
      ],
      [
        start(0, { type: "tool_use", id: "1", name: "f" }),
        delta(0, { type: "input_json_delta", partial_json: '{"a":1}' }),
      ],
    ],
    [
      "a block that nobody knows",
      [
        start(0, { type: "mood" }),
        delta(0, { type: "mood_delta" }),
        text(0, "x"),
        stop(0),
        start(1, { type: "text" }),
      ],
      [start(1, { type: "text", text: "" })],
    ],
    [
      "a delta that nobody knows",
      [
        start(0, { type: "text" }),
        delta(0, { type: "citations_delta", citation: {} }),
        delta(0, {}),
        delta(0, { type: "text_delta", text: null }),
      ],
      [start(0, { type: "text", text: "" })],
    ],
    [
      "a delta without a block",
      [text(0, "a"), delta(1, { type: "input_json_delta", partial_json: "{" })],
      [start(0, { type: "text", text: "" }), text(0, "a")],
    ],
    [
      "no index",
      [
        { ...start(0, { type: "text" }), index: null },
        { ...text(0, "a"), index: null },
        { type: "content_block_stop" },
        { ...start(0, { type: "text" }), index: undefined },
      ],
      [
        start(0, { type: "text", text: "" }),
        text(0, "a"),
        stop(0),
        start(1, { type: "text", text: "" }),
      ],
    ],
    ["an end without a beginning", [stop(3)], []],
    [
      "a second block in the place of one that is open",
      [start(0, { type: "text" }), start(0, { type: "text" })],
      [start(0, { type: "text", text: "" }), stop(0), start(0, { type: "text", text: "" })],
    ],
    [
      "an error as a text",
      [["error", { error: "boom" }]],
      [{ type: "error", error: { type: "api_error", message: "boom" } }],
    ],
    [
      "an error without a type",
      [{ error: { message: "boom", code: 5 } }],
      [{ type: "error", error: { type: "api_error", message: "boom", code: 5 } }],
    ],
    [
      "an error with its type in the place of the event's",
      [["error", { type: "overloaded_error", message: "x" }]],
      [{ type: "error", error: { type: "overloaded_error", message: "x" } }],
    ],
  ])("may have %s", (_what, events, wanted) => {
    expect(mend(...events)).toEqual(wanted);
  });
});

describe("the end of an answer of Anthropic's protocol", () => {
  it("is there as soon as the reason is, and ends what is open", () => {
    const events = [
      start(0, { type: "text" }),
      text(0, "a"),
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
    ];
    expect(mend(...events)).toEqual([
      start(0, { type: "text", text: "" }),
      text(0, "a"),
      stop(0),
      message,
      end,
    ]);
  });

  it("is not there without a reason", () => {
    expect(mend(start(0, { type: "text" }), text(0, "a"))).toHaveLength(2);
  });

  it("keeps the last count where a later event has none", () => {
    const counted = {
      type: "message_delta",
      delta: {},
      usage: { output_tokens: "7", input_tokens: 3 },
    };
    expect(mend(counted, { ...message, usage: null })).toEqual([
      { type: "message_delta", delta: {}, usage: { output_tokens: 7, input_tokens: 3 } },
      { ...message, usage: { output_tokens: 7 } },
      end,
    ]);
  });
});

describe("a call of Anthropic's protocol", () => {
  const begin = (id: string): Fields => start(0, { type: "tool_use", id, name: "f", input: {} });
  const written = delta(0, { type: "input_json_delta", partial_json: '{"a":1}' });

  it("does not end before its arguments when its begin came twice", () => {
    const once = mend(begin("c"), written, stop(0));
    expect(mend(begin("c"), begin("c"), written, stop(0))).toEqual(once);
  });

  it("ends where another one begins in its place, whatever its id is", () => {
    const ends = (...events: Fields[]): number =>
      mend(...events).filter(({ type }) => type === "content_block_stop").length;
    expect(ends(begin("c"), written, begin("d"), written, stop(0))).toBe(2);
    expect(ends(begin("c"), written, stop(0), begin("c"), written, stop(0))).toBe(2);
  });
});
