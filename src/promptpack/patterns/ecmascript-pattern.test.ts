import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";
import { fromECMAScript } from "./ecmascript-pattern.ts";

function matches(pattern: string, value: string): boolean {
  return RE2JS.compile(fromECMAScript(pattern)).matcher(value).find();
}

const CLASS_ITEMS = [
  "a-c",
  "x",
  "é",
  "\\d",
  "\\D",
  "\\w",
  "\\W",
  "\\s",
  "\\S",
  "\\b",
  "\\-",
  "\\]",
  "\\\\",
  "\\0",

  "\\n",
  "\\t",
  "\\v",
  "\\f",
  "\\r",
  "\\x41",
  "\\u00e9",
  "\\u{1F600}",
  "\\ud83d\\ude00",
  "\\cJ",

  "\\p{L}",
  "\\P{L}",
  "\\p{Lu}",
  "\\p{Letter}",
  "\\p{gc=Nd}",
  "\\p{Script=Greek}",
  ".",
  "(",
  "/",
];
const ITEMS = [
  "a",
  "b",
  "é",
  "😀",
  ".",
  "\\.",
  "\\/",
  "^",
  "$",
  "\\B",
  "[]",
  "[^]",
  "(?:)",
  "(?<n>a|b)",
  ...CLASS_ITEMS.filter(
    (item) => item !== "\\b" && item !== "\\-" && item !== "(" && item !== "a-c",
  ),
];
const classText = fc
  .tuple(fc.constantFrom("[", "[^"), fc.array(fc.constantFrom(...CLASS_ITEMS), { maxLength: 4 }))
  .map(([open, items]) => `${open}${items.join("")}]`);
const patternText = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...ITEMS), classText).map((item) => `(?:${item})`),
      fc.constantFrom("", "*", "+", "?", "{2}", "{0,3}", "+?"),
    ),
    { maxLength: 5 },
  )
  .map((items) => items.flat().join(""))
  // A name may be there once.
  .filter((text) => text.split("(?<n>").length <= 2);
const CHARACTERS = Array.from(
  "ab cxéÉ😀.-]\\/(1_9\n\r\t\v\f\u0000\bA\u00a0\u2028\ufeff\u180eΩЖ\u200b",
);

describe("a pattern of ECMAScript", () => {
  it("matches what it matches there", () => {
    fc.assert(
      fc.property(
        patternText,
        fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 6 }),
        (pattern, characters) => {
          const value = characters.join("");
          expect(matches(pattern, value)).toBe(new RegExp(pattern, "u").test(value));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("knows the same white space", () => {
    const every = Array.from({ length: 0x1_00_00 }, (_, unit) => String.fromCharCode(unit));
    for (const escape of ["\\s", "\\S"]) {
      const program = RE2JS.compile(fromECMAScript(escape));
      const expression = new RegExp(escape, "u");
      const differing = every.filter((one) => program.test(one) !== expression.test(one));
      expect(differing).toEqual([]);
    }
  });

  it.each(["(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(a)\\1", "(?<n>a)\\k<n>", "\\p{ASCII_Hex}", "["])(
    "is refused as %s, which is not made to mean anything else",
    (pattern) => {
      expect(() => RE2JS.compile(fromECMAScript(pattern))).toThrow(/error parsing regexp/);
    },
  );
});
