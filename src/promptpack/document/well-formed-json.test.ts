import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wellFormedJSON } from "./well-formed-json.ts";

/** Texts with halves and whole pairs, and with the backslashes and letters that escapes are made of. */
const text = fc
  .array(fc.constantFrom("\ud83d", "\ude00", "\\", "u", "d83d", "D83D", '"', "é", "😀", "\n"))
  .map((pieces) => pieces.join(""));

describe("JSON for a provider", () => {
  it.each([
    ["a half at the end", '"Nice \\ud83d"', '"Nice \uFFFD"'],
    ["a half at the beginning", '"\\ude00!"', '"\uFFFD!"'],
    ["a key", '{"\\ud83d":1}', '{"\uFFFD":1}'],
    ["a half in capital letters", '"\\uD83D"', '"\uFFFD"'],
    ["a half that is written as it is", '"\ud83d"', '"\uFFFD"'],
    ["two first halves", '"\\ud83d\\ud83d\\ude00"', '"\uFFFD\\ud83d\\ude00"'],
    ["a pair", '"\\ud83d\\ude00"', '"\\ud83d\\ude00"'],
    ["a pair in capital letters", '"\\uD83D\\uDE00"', '"\\uD83D\\uDE00"'],
    ["a text about an escape", '"\\\\ud83d"', '"\\\\ud83d"'],
    ["an escape behind a backslash", '"\\\\\\ud83d"', '"\\\\\uFFFD"'],
    ["other escapes", '"\\u00e9\\ud7ff\\n"', '"\\u00e9\\ud7ff\\n"'],
  ])("has %s in well-formed Unicode", (_what, json, wanted) => {
    expect(wellFormedJSON(json)).toBe(wanted);
  });

  it("has the same values as before, but for halves of pairs", () => {
    fc.assert(
      fc.property(text, text, (key, value) => {
        const json = JSON.stringify({ [key]: [value] });
        const wanted = { [key.toWellFormed()]: [value.toWellFormed()] };
        expect(JSON.parse(wellFormedJSON(json))).toEqual(wanted);
      }),
    );
  });
});
