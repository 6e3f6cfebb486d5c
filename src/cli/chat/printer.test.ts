import { describe, expect, it } from "vitest";
import { capturedStreams } from "../../../test/support/processes/captured-streams.ts";
import type { DoneFrame, ServerFrame } from "../../protocol/frames.ts";
import { chatPrinter, type ChatPrinter } from "./printer.ts";
import type { OutputFormat } from "../terminal/streams.ts";

function printing(
  format: OutputFormat,
  options: { interactive: boolean; terminal?: boolean },
  run: (printer: ChatPrinter) => void,
): { out: string; err: string } {
  const { streams, out, err } = capturedStreams(options);
  run(chatPrinter(format, streams, options));
  return { out: out(), err: err() };
}

const stamp = { session_id: "s1", timestamp: "2026-01-01T00:00:00Z", turn_id: "t1", seq: 1 };
const chunk = (content: string): ServerFrame => ({ type: "chunk", ...stamp, content });
const done = (content: string): ServerFrame => ({
  type: "done",
  ...stamp,
  content,
  finish_reason: "stop",
});
const call: ServerFrame = {
  type: "tool_call",
  ...stamp,
  tool_call: { id: "c1", name: "weather", arguments: { city: "Paris" } },
};
const result: ServerFrame = {
  type: "tool_result",
  ...stamp,
  tool_result: { id: "c1", result: { sky: "clear" } },
};

const show =
  (...frames: ServerFrame[]) =>
  (printer: ChatPrinter): void => {
    for (const frame of frames) printer.frame(frame, JSON.stringify(frame));
  };

describe("chatPrinter", () => {
  it("prints the answer as it comes and ends its line", () => {
    expect(
      printing("text", { interactive: false }, show(chunk("Hel"), chunk("lo"), done("Hello"))).out,
    ).toBe("Hello\n");
  });

  it("prints an answer that did not come in chunks", () => {
    expect(printing("text", { interactive: false }, show(done("echo"))).out).toBe("echo\n");
  });

  it("adds no second line end to an answer that has one", () => {
    expect(printing("text", { interactive: false }, show(chunk("a\n"), done("a\n"))).out).toBe(
      "a\n",
    );
  });

  it("prints the whole answer when some of its chunks were missed", () => {
    const { out, err } = printing(
      "text",
      { interactive: false },
      show(chunk("a"), chunk("c"), done("abc")),
    );
    expect(out).toBe("ac\nabc\n");
    expect(err).toContain("missed");
  });

  it("shows tool calls on lines of their own, when they are wanted", () => {
    const frames = show(
      chunk("Let me see."),
      call,
      result,
      chunk("Clear."),
      done("Let me see.Clear."),
    );
    expect(printing("text", { interactive: true }, frames).out).toBe(
      'Let me see.\n→ weather {"city":"Paris"}\n← {"sky":"clear"}\nClear.\n',
    );
    expect(printing("text", { interactive: false }, frames).out).toBe("Let me see.Clear.\n");
  });

  it("says why an answer ended before its end", () => {
    const cut: ServerFrame = { type: "done", ...stamp, content: "so", finish_reason: "length" };
    expect(printing("text", { interactive: false }, show(chunk("so"), cut))).toEqual({
      out: "so\n",
      err: "The answer ends here because it reached the model's limit.\n",
    });
    const filtered: ServerFrame = { ...cut, finish_reason: "content_filter" };
    expect(printing("text", { interactive: false }, show(chunk("so"), filtered)).err).toBe(
      "The answer ends here because the provider's content filter withheld the rest.\n",
    );
  });

  it("says at a terminal what an answer cost, where that is known, and nowhere else", () => {
    const tokens = { input_tokens: 310, output_tokens: 96 };
    const priced: ServerFrame = {
      ...(done("Hello") as DoneFrame),
      usage: { ...tokens, cost: { amount: 0.001735, currency: "USD" } },
    };
    const free: ServerFrame = { ...(done("Hello") as DoneFrame), usage: tokens };
    expect(printing("text", { interactive: true }, show(chunk("Hel"), priced))).toEqual({
      out: "Hello\n",
      err: "310 + 96 tokens · 0.00174 USD\n",
    });
    expect(printing("text", { interactive: true }, show(free)).err).toBe("");
    expect(printing("text", { interactive: false }, show(priced))).toEqual({
      out: "Hello\n",
      err: "",
    });
  });

  it("prints an error on the error output, after the line that it broke", () => {
    const error: ServerFrame = {
      type: "error",
      ...stamp,
      error: { code: "PROVIDER_ERROR", message: "no" },
    };
    expect(printing("text", { interactive: false }, show(chunk("so"), error))).toEqual({
      out: "so\n",
      err: "omnia: no\n",
    });
  });

  it("says that a session ended when the server begins another", () => {
    const greeting = (session_id: string): ServerFrame => ({
      type: "connected",
      session_id,
      timestamp: stamp.timestamp,
      resumed: false,
      seq: 0,
    });
    const said = (...frames: ServerFrame[]): string =>
      printing("text", { interactive: false }, show(...frames)).err;
    expect(said(greeting("s1"), done("a"), greeting("s1"))).toBe("");
    expect(said(greeting("s1"), done("a"), greeting("s2"))).toContain("new one");
    // Nothing was said in the first one.
    expect(said(greeting("s1"), greeting("s2"))).toBe("");
    // Nothing was said in it yet.
    expect(said(greeting("s1"), greeting("s2"))).toBe("");
  });

  it("writes out what a terminal would obey, also for a file that may be shown on one", () => {
    const frames = show(done("a\u001b]0;title\u0007b\tc"));
    const shown = "a\\u{1b}]0;title\\u{7}b\tc\n";
    expect(printing("text", { interactive: false, terminal: true }, frames).out).toBe(shown);
    expect(printing("text", { interactive: false }, frames).out).toBe(shown);
  });

  it("prints frames as received, one a line, also those that it does not know", () => {
    const out = printing("json", { interactive: false }, (printer) => {
      printer.frame(done("a"), '{"type":"done" , "x":1}');
      printer.frame(undefined, '{\n"type":"later"\n}');
    });
    expect(out).toEqual({ out: '{"type":"done" , "x":1}\n{"type":"later"}\n', err: "" });
  });
});
