import { describe, expect, it } from "vitest";
import { Departures } from "./departures.ts";
import type { Fields } from "./json-fields.ts";
import { createResponsesMender } from "./responses-stream.ts";

function mend(...events: (Fields | [string, Fields])[]): Fields[] {
  const mender = createResponsesMender(new Departures());
  return events.flatMap((event) =>
    Array.isArray(event) ? mender.mend(event[1], event[0]) : mender.mend(event, undefined),
  );
}

const added = (output_index: number, item: Fields): Fields => ({
  type: "response.output_item.added",
  output_index,
  item,
});
const done = (output_index: number, item: Fields): Fields => ({
  type: "response.output_item.done",
  output_index,
  item,
});
const text = (output_index: number, item_id: string, delta: string): Fields => ({
  type: "response.output_text.delta",
  item_id,
  output_index,
  delta,
});
const completed = { type: "response.completed", response: {} };
const call = { type: "function_call", id: "f", call_id: "c", name: "n", arguments: "" };

describe("an event of the Responses", () => {
  it.each<[string, (Fields | [string, Fields])[], Fields[]]>([
    [
      "no index of its item",
      [
        { type: "response.output_item.added", item: { type: "message", id: "m" } },
        { type: "response.output_text.delta", delta: "a" },
        { type: "response.output_item.done", item: { type: "message", id: "m" } },
      ],
      [
        added(0, { type: "message", id: "m" }),
        text(0, "m", "a"),
        done(0, { type: "message", id: "m" }),
      ],
    ],
    [
      "no item before its text",
      [text(0, "m", "a")],
      [added(0, { type: "message", id: "m" }), text(0, "m", "a")],
    ],
    [
      "an item without an id",
      [added(3, { type: "message", id: null, phase: "odd" })],
      [added(3, { type: "message", id: "item_3" })],
    ],
    [
      "a phase",
      [added(0, { type: "message", id: "m", phase: "commentary" })],
      [added(0, { type: "message", id: "m", phase: "commentary" })],
    ],
    [
      "a thought",
      [
        added(0, { type: "reasoning", id: "r", summary: null }),
        done(0, { type: "reasoning", id: "r", encrypted_content: "E" }),
      ],
      [
        added(0, { type: "reasoning", id: "r", encrypted_content: null }),
        done(0, { type: "reasoning", id: "r", encrypted_content: "E" }),
      ],
    ],
    [
      "a call whose arguments are told in pieces only",
      [
        added(0, call),
        { type: "response.function_call_arguments.delta", output_index: 0, delta: "{}" },
        done(0, { ...call, arguments: null, status: null }),
      ],
      [
        added(0, call),
        {
          type: "response.function_call_arguments.delta",
          item_id: "f",
          output_index: 0,
          delta: "{}",
        },
        done(0, { ...call, arguments: "{}", status: "completed" }),
      ],
    ],
    [
      "arguments as an object, and no id of the call",
      [done(0, { type: "function_call", id: "f", name: "n", arguments: { a: 1 } })],
      [
        added(0, { ...call, call_id: "f", arguments: '{"a":1}' }),
        done(0, { ...call, call_id: "f", arguments: '{"a":1}', status: "completed" }),
      ],
    ],
    [
      "a text at its end only",
      [
        added(0, { type: "message", id: "m" }),
        { type: "response.output_text.done", output_index: 0, text: "a" },
        { type: "response.output_text.done", output_index: 0, text: "a" },
      ],
      [added(0, { type: "message", id: "m" }), text(0, "m", "a")],
    ],
    [
      "a text in its item only",
      [done(0, { type: "message", id: "m", content: [{ text: "a" }, { refusal: "b" }] })],
      [
        added(0, { type: "message", id: "m" }),
        text(0, "m", "ab"),
        done(0, { type: "message", id: "m" }),
      ],
    ],
    [
      "items that nobody knows",
      [
        added(0, { type: "mood" }),
        done(0, { type: "mood" }),
        ["mood", {}],
        { type: "response.mood" },
      ],
      [],
    ],
    ["no type but a name", [["response.completed", { response: {} }]], [completed]],
    [
      "counts that are null",
      [
        {
          type: "response.completed",
          response: { usage: { input_tokens: null, output_tokens: 3 } },
        },
      ],
      [{ ...completed, response: { usage: { input_tokens: 0, output_tokens: 3 } } }],
    ],
    ["no response at its end", [{ type: "response.completed" }], [completed]],
    [
      "another name for its end",
      [
        {
          type: "response.done",
          response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
        },
      ],
      [
        {
          type: "response.incomplete",
          response: { incomplete_details: { reason: "max_output_tokens" } },
        },
      ],
    ],
    [
      "no reason why it is incomplete",
      [{ type: "response.incomplete", response: {} }],
      [{ type: "response.incomplete", response: { incomplete_details: { reason: "incomplete" } } }],
    ],
    [
      "a failure that is called complete",
      [{ type: "response.completed", response: { status: "failed", error: "boom" } }],
      [
        {
          type: "response.failed",
          sequence_number: 0,
          response: { error: { code: null, message: "boom" } },
        },
      ],
    ],
    [
      "an error in an object",
      [{ type: "error", error: { type: "server_error", message: "boom" } }],
      [{ type: "error", sequence_number: 0, code: "server_error", message: "boom", param: null }],
    ],
    [
      "an error without a type",
      [{ error: { code: 5 } }],
      [{ type: "error", sequence_number: 0, code: "5", message: "error", param: null }],
    ],
    ["the chunks of another protocol", [{ choices: [] }], [{ choices: [] }]],
  ])("may have %s", (_what, events, wanted) => {
    expect(mend(...events)).toEqual(wanted);
  });

  it("may say only at the end what was said and called", () => {
    const message = { type: "message", id: "m", content: [{ text: "a" }] };
    const output = [message, { ...call, arguments: "{}" }];
    const events = mend(added(0, { type: "message", id: "m" }), {
      type: "response.completed",
      response: { output },
    });
    expect(events).toEqual([
      added(0, { type: "message", id: "m" }),
      text(0, "m", "a"),
      done(0, { type: "message", id: "m" }),
      added(1, { ...call, arguments: "{}" }),
      done(1, { ...call, arguments: "{}", status: "completed" }),
      completed,
    ]);
  });

  it("does not say again at the end what was said before", () => {
    const message = { type: "message", id: "m", content: [{ text: "a" }] };
    const before = [added(0, { type: "message", id: "m" }), text(0, "m", "a"), done(0, message)];
    const response = { output: [message] };
    expect(mend(...before, { type: "response.completed", response })).toHaveLength(4);
  });

  it("ends a call that nobody ended", () => {
    const events = mend(
      added(0, call),
      { type: "response.function_call_arguments.done", output_index: 0, arguments: "{}" },
      completed,
    );
    expect(events.slice(1)).toEqual([
      done(0, { ...call, arguments: "{}", status: "completed" }),
      completed,
    ]);
  });
});
