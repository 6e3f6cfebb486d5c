import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";
import { patternWork } from "./pattern-work.ts";

const ITEMS = [
  "a",
  "é",
  "😀",
  ".",
  "^",
  "$",
  "\\b",
  "\\d",
  "\\x41",
  "\\x{61}",
  "\\{",
  "\\[",
  "\\A",
  "\\pL",
  "\\PN",
  "\\p{Greek}",
  "\\Qa{9}\\E",
  "{",
  "}",
  "]",
  "{,3}",
  "(?i)",
  "(?-i)",
  "(?:)",
  "[a-z]",
  "[^\\pL\\d]",
  "[[:alpha:])]",
  "[]x]",
  "[^]x]",
  "[\\]{3}]",
  "[-a]",
  "[a-]",
  "[à-ÿ]",
] as const;
const QUANTIFIERS = ["", "*", "+", "?", "*?", "{3}", "{0,5}", "{2,}", "{0}", "{100}", "{0,1000}"];

const { pattern } = fc.letrec<{ pattern: string; item: string }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4, depthIdentifier: "nesting" },
    fc.constantFrom(...ITEMS),
    fc
      .tuple(fc.constantFrom("(", "(?:", "(?i:", "(?P<n>"), tie("pattern"))
      .map(([open, inner]) => `${open}${inner})`),
    fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => `(?:${left}|${right}|)`),
  ),
  pattern: fc
    .array(fc.tuple(tie("item"), fc.constantFrom(...QUANTIFIERS)), {
      maxLength: 5,
      depthIdentifier: "nesting",
    })
    .map((items) => items.flat().join("")),
}));

describe("the work of a pattern", () => {
  it("never tells of fewer instructions than a pattern is compiled to", () => {
    let compiled = 0;
    fc.assert(
      fc.property(pattern, (text) => {
        const { instructions, steps } = patternWork(text);
        // Larger ones are the same again, and take their time to compile.
        if (steps > 200_000) return;
        let program: RE2JS;
        try {
          program = RE2JS.compile(text);
        } catch {
          return;
        }
        compiled += 1;
        expect(instructions).toBeGreaterThanOrEqual(program.programSize());
      }),
      { numRuns: 600 },
    );
    expect(compiled).toBeGreaterThan(100);
  });

  it("tells of much work for a short text", () => {
    const stepsOf = (text: string): number => patternWork(text).steps;
    expect(stepsOf("a{1000}")).toBeGreaterThan(1_000 * 100);
    expect(stepsOf("((a{1000}){1000})")).toBeGreaterThan(1_000_000 * 100);
    expect(stepsOf("(((a{30}){30}){30}){30}")).toBeGreaterThan(30 ** 4 * 100);
    expect(stepsOf("(?i)[\u0100-\u{1dfff}]")).toBeGreaterThan(100 * stepsOf("[\u0100-\u{1dfff}]"));
    expect(stepsOf("\\pL")).toBeGreaterThan(10 * stepsOf("[a-z]"));
    expect(stepsOf("[a{1000}]")).toBe(stepsOf("[a]"));
  });

  it("takes a text that is no pattern", () => {
    for (const text of [
      "",
      "(",
      ")",
      "[",
      "[^",
      "\\",
      "\\p",
      "\\p{",
      "\\Q",
      "*",
      "{9}",
      "[[:a",
      "[a-",
    ]) {
      expect(patternWork(text).instructions).toBeGreaterThan(0);
    }
  });
});
