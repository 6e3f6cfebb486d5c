import fc from "fast-check";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { ControlSequence } from "./control-sequence.ts";
import { styled } from "./line.ts";
import { visibleJSON, visibleLine, visibleText } from "./visible-text.ts";
import {
  draw,
  printFile,
  printJSON,
  printJSONText,
  printLine,
  printText,
  type Output,
} from "./writer.ts";

/** What a terminal obeys, and what makes a text read otherwise than it is. */
const HOSTILE: readonly [string, string][] = [
  ["\u0007", "a bell"],
  ["\u0008", "a backspace"],
  ["\u000b", "a vertical tab"],
  ["\u001b", "an escape"],
  ["\u007f", "DEL"],
  ["\u0085", "NEL of C1"],
  ["\u009b", "CSI of C1"],
  ["\u009d", "OSC of C1"],
  ["\u202e", "an override to the left"],
  ["\u202a", "an embedding"],
  ["\u2066", "an isolate"],
  ["\u2069", "the end of one"],
  ["\u200e", "a mark"],
  ["\u200f", "a mark to the left"],
  ["\u061c", "a mark of Arabic"],
  ["\u2028", "a separator of lines"],
  ["\u2029", "a separator of paragraphs"],
  ["\u200b", "a blank without a width"],
  ["\u2060", "a joiner of words"],
  ["\ufeff", "a mark of the order of bytes"],
  ["\u{e0041}", "a tag"],
  ["\u200d", "a joiner between letters of Latin"],
];

function print(write: (output: Output) => void, terminal = false): string {
  const stream = new PassThrough({ encoding: "utf8" });
  write(Object.assign(stream, { isTTY: terminal }));
  return (stream.read() as string | null) ?? "";
}

function codeOf(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

describe("the writer", () => {
  it.each(HOSTILE)(
    "leaves %j (%s) in a file as it is, unless a terminal is shown it",
    (character) => {
      const text = `a${character}b\n`;
      expect(print((output) => printFile(output, text))).toBe(text);
      expect(print((output) => printFile(output, text), true)).toBe(`a${codeOf(character)}b\n`);
    },
  );

  it.each(HOSTILE)("writes out %j (%s), in a text as in a line", (character) => {
    const shown = `a${codeOf(character)}b\n`;
    for (const terminal of [true, false]) {
      expect(print((output) => printText(output, `a${character}b\n`), terminal)).toBe(shown);
      expect(print((output) => printLine(output, `a${character}b`), terminal)).toBe(shown);
      expect(print((output) => printLine(output, styled("red", `a${character}b`)))).toBe(shown);
    }
  });

  it.each(HOSTILE)("escapes %j (%s) in JSON, which keeps its value", (character) => {
    const value = { [`key${character}`]: [`a${character}b`] };
    const pretty = print((output) => printJSON(output, value));
    const line = print((output) => printJSONText(output, JSON.stringify(value)));
    for (const printed of [pretty, line]) {
      expect(printed).toMatch(/^[\n -~]+$/);
      expect(JSON.parse(printed)).toEqual(value);
    }
  });

  it("leaves the lines and tabs of a text, and makes one line of what is printed as one", () => {
    expect(print((output) => printText(output, "a\tb\r\nc\n"))).toBe("a\tb\nc\n");
    expect(print((output) => printLine(output, "a\nomnia: all is\twell\r\n"))).toBe(
      "a omnia: all is well \n",
    );
    expect(print((output) => printText(output, "forged\roriginal"))).toBe("forged\\u{d}original");
  });

  it.each([
    "Grüße, 日本語, русский, עברית, العربية",
    "می‌خواهم",
    "क्‍ष",
    "👩‍👩‍👧‍👦 ❤️‍🔥 🏳️‍🌈 👍🏽",
    "e\u0301",
    "\u00a0\u00ad",
  ])("leaves what honest people write: %s", (text) => {
    expect(visibleText(text)).toBe(text);
    expect(visibleLine(text)).toBe(text);
  });

  it("leaves what honest people write also where it comes in parts", () => {
    const text = "👩‍👩‍👧 می‌خواهم\r\nso";
    for (let at = 0; at <= text.length; at += 1) {
      const before = text.slice(0, at);
      const parts = visibleText(before) + visibleText(text.slice(at), before.slice(-2));
      expect(parts).toBe(text.replace("\r", ""));
    }
  });

  it("makes control sequences of styles and of nothing else, and only for a terminal", () => {
    const line = [styled("red", "omnia:"), " \u001b[31mred"];
    const { NO_COLOR: before } = process.env;
    delete process.env["NO_COLOR"];
    try {
      expect(print((output) => printLine(output, line), true)).toBe(
        "\u001b[31momnia:\u001b[39m \\u{1b}[31mred\n",
      );
    } finally {
      if (before !== undefined) process.env["NO_COLOR"] = before;
    }
    expect(print((output) => printLine(output, line))).toBe("omnia: \\u{1b}[31mred\n");
  });

  it("draws its own control sequences around texts that hold none", () => {
    const { WRAP_OFF, CLEAR_LINE_END } = ControlSequence;
    expect(print((output) => draw(output, [WRAP_OFF, "a\u001b[2J", CLEAR_LINE_END]))).toBe(
      "\u001b[?7la\\u{1b}[2J\u001b[K",
    );
  });

  it("lets nothing through, whatever it is given", () => {
    const units = fc.oneof(
      fc.constantFrom(...HOSTILE.map(([character]) => character)),
      fc.string({ unit: "binary", maxLength: 3 }),
    );
    const obeyed =
      /(?![\n\t])\p{Cc}|\p{Bidi_Control}|[\u2028\u2029\u200b\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;
    fc.assert(
      fc.property(fc.array(units, { maxLength: 20 }), (pieces) => {
        const text = pieces.join("");
        expect(visibleText(text)).not.toMatch(obeyed);
        expect(visibleLine(text)).not.toMatch(obeyed);
        expect(visibleLine(text)).not.toMatch(/[\n\t]/);
        // What is visible already stays as it is.
        expect(visibleText(visibleText(text))).toBe(visibleText(text));
        const json = visibleJSON(JSON.stringify({ text }));
        expect(json).not.toMatch(obeyed);
        expect(JSON.parse(json)).toEqual({ text });
      }),
      { numRuns: 300 },
    );
  });
});
