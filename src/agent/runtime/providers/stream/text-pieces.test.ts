import { describe, expect, it } from "vitest";
import { createAnthropicMender } from "./anthropic-stream.ts";
import { createChatMender, createOpenAIChatMender } from "./chat-stream.ts";
import { Departures } from "./departures.ts";
import { createGoogleMender } from "./google-stream.ts";
import type { Fields } from "./json-fields.ts";
import { createResponsesMender } from "./responses-stream.ts";
import type { CreateStreamMender } from "./stream-mender.ts";
import { TextBypass } from "./text-bypass.ts";
import { TextPieces } from "./text-pieces.ts";

function ofChat(content: string): Fields {
  return { choices: [{ delta: { content } }] };
}
const CHAT_END: Fields = { choices: [{ delta: {}, finish_reason: "stop" }] };

function ofGoogle(text: string, tokens?: number): Fields {
  const usage = tokens === undefined ? {} : { usageMetadata: { candidatesTokenCount: tokens } };
  return { candidates: [{ content: { parts: [{ text }] } }], ...usage };
}

/** Text as each API's events have it, and an event beside it that is no text. */
const APIS: [name: string, CreateStreamMender, (text: string) => Fields, other: Fields][] = [
  ["chat completions", createChatMender, ofChat, CHAT_END],
  [
    "responses",
    createResponsesMender,
    (delta) => ({
      type: "response.output_text.delta",
      item_id: "m1",
      output_index: 0,
      delta,
    }),
    { type: "response.output_item.done", output_index: 0, item: { type: "message", id: "m1" } },
  ],
  [
    "messages",
    createAnthropicMender,
    (text) => ({ type: "content_block_delta", index: 1, delta: { type: "text_delta", text } }),
    { type: "content_block_stop", index: 1 },
  ],
  ["generateContent", createGoogleMender, ofGoogle, { candidates: [{ finishReason: "STOP" }] }],
];

function piecesOf(createMender: CreateStreamMender) {
  const said: string[] = [];
  const bypass = new TextBypass((text) => void said.push(text));
  const pieces = new TextPieces(createMender(new Departures()), bypass);
  /** The events for the package, which makes this text of them and then waits. */
  const give = (events: Fields[], made?: string) => {
    const { given } = pieces.take(events, false);
    if (made !== undefined) bypass.onMade(made);
    bypass.isReaderWaiting = true;
    return given;
  };
  return { said, bypass, pieces, give };
}

describe.each(APIS)("pieces of text in %s", (_name, createMender, text, other) => {
  it("are one event when they come at once", () => {
    const { give } = piecesOf(createMender);
    expect(give([text("a"), text("b"), other, text("c"), text("d")])).toEqual([
      text("ab"),
      other,
      text("cd"),
    ]);
  });

  it("go past the package when what came before has come out of it", () => {
    const { give, said } = piecesOf(createMender);
    expect(give([text("a")], "a")).toEqual([text("a")]);
    expect(give([text("b"), text("c")])).toEqual([]);
    expect(give([text("d"), other])).toEqual([other]);
    expect(said).toEqual(["bc", "d"]);
  });

  it("go through the package while that has not made the text before", () => {
    const { give, said } = piecesOf(createMender);
    give([text("a")]);
    expect(give([text("b")], "a")).toEqual([text("b")]);
    expect(give([text("c")], "c")).toEqual([text("c")]);
    expect(said).toEqual([]);
    expect(give([text("d")])).toEqual([]);
    expect(said).toEqual(["d"]);
  });

  it("go through the package while its reader is busy", () => {
    const { bypass, give, said } = piecesOf(createMender);
    give([text("a")], "a");
    bypass.isReaderWaiting = false;
    expect(give([text("b")])).toEqual([text("b")]);
    expect(said).toEqual([]);
  });

  it("go through the package again after an event of another kind", () => {
    const { give, said } = piecesOf(createMender);
    give([text("a")], "a");
    give([other]);
    expect(give([text("b")], "b")).toEqual([text("b")]);
    expect(give([text("c")])).toEqual([]);
    expect(said).toEqual(["c"]);
  });

  it("are left as they are without a bypass, but for those that come at once", () => {
    const pieces = new TextPieces(createMender(new Departures()), undefined);
    expect(pieces.take([text("a")], false).given).toEqual([text("a")]);
    expect(pieces.take([text("b"), text("c")], false).given).toEqual([text("bc")]);
  });
});

describe("pieces of text", () => {
  it("of two blocks are two events", () => {
    const { give, said } = piecesOf(createAnthropicMender);
    const inBlock = (index: number, text: string): Fields => ({
      type: "content_block_delta",
      index,
      delta: { type: "text_delta", text },
    });
    const events = [inBlock(0, "a"), inBlock(1, "b"), inBlock(1, "c")];
    expect(give(events, "bc")).toEqual([inBlock(0, "a"), inBlock(1, "bc")]);
    expect(give([inBlock(0, "d")])).toEqual([inBlock(0, "d")]);
    expect(said).toEqual([]);
  });

  it.each<[string, Fields]>([
    [
      "with the reason of the end",
      { choices: [{ delta: { content: "a" }, finish_reason: "stop" }] },
    ],
    ["with usage", { choices: [{ delta: { content: "a" } }], usage: { completion_tokens: 1 } }],
    ["with a call", { choices: [{ delta: { content: "a", tool_calls: [{ index: 0 }] } }] }],
    ["as a list of parts", { choices: [{ delta: { content: [{ type: "text", text: "a" }] } }] }],
    ["beside thoughts", { choices: [{ delta: { content: "a", reasoning_content: "b" } }] }],
    ["in two choices", { choices: [{ delta: { content: "a" } }, { delta: { content: "b" } }] }],
  ])("%s stay events of their own", (_what, event) => {
    const { give, said } = piecesOf(createChatMender);
    give([ofChat("x")], "x");
    expect(give([ofChat("y"), event, ofChat("z")])).toEqual([event, ofChat("z")]);
    expect(said).toEqual(["y"]);
  });

  it("are known with the number of their choice too", () => {
    const { give, said } = piecesOf(createOpenAIChatMender);
    const event = (content: string): Fields => ({ choices: [{ index: 0, delta: { content } }] });
    give([event("a")], "a");
    expect(give([event("b")])).toEqual([]);
    expect(said).toEqual(["b"]);
  });

  it.each<[string, object]>([
    ["that are thoughts", { text: "a", thought: true }],
    ["with a signature", { text: "a", thoughtSignature: "s" }],
  ])("%s stay parts of their own", (_what, part) => {
    const { give, said } = piecesOf(createGoogleMender);
    const event = { candidates: [{ content: { parts: [part] } }] };
    give([ofGoogle("x")], "x");
    expect(give([event])).toEqual([event]);
    expect(said).toEqual([]);
  });

  it("leave the last usage that stood beside them to the event that follows, or to the end", () => {
    const { give, said, pieces } = piecesOf(createGoogleMender);
    expect(give([ofGoogle("a", 1), ofGoogle("b", 2)], "ab")).toEqual([ofGoogle("ab", 2)]);
    expect(give([ofGoogle("c", 3)])).toEqual([]);
    expect(give([ofGoogle("d", 4)])).toEqual([]);
    const end = { candidates: [{ finishReason: "STOP" }] };
    const usage = { usageMetadata: { candidatesTokenCount: 4 } };
    expect(give([end])).toEqual([usage, end]);
    give([ofGoogle("e", 5)], "e");
    give([ofGoogle("f", 6)]);
    expect(pieces.take([], true).given).toEqual([{ usageMetadata: { candidatesTokenCount: 6 } }]);
    expect(said).toEqual(["c", "d", "f"]);
  });

  it("give what they have to wait for when they go past the package", () => {
    const room = Promise.resolve();
    const bypass = new TextBypass(() => room);
    const pieces = new TextPieces(createChatMender(new Departures()), bypass);
    expect(pieces.take([ofChat("a")], false).room).toBeUndefined();
    bypass.onMade("a");
    bypass.isReaderWaiting = true;
    expect(pieces.take([ofChat("b")], false)).toEqual({ given: [], room });
  });
});
