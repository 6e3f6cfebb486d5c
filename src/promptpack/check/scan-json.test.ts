import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { offsetsOf, scanJSON } from "./scan-json.ts";

describe("scanJSON", () => {
  it("finds no fault in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
        expect(scanJSON(JSON.stringify(value, undefined, indent))).toBeUndefined();
      }),
    );
  });

  it("finds a fault exactly where JSON.parse throws", () => {
    const token = fc.constantFrom(
      ...Array.from('{}[]:," \n\\01-.eE'),
      "true",
      "nul",
      '"a"',
      "\t",
      "\u0001",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join("");
        let isJSON = true;
        try {
          JSON.parse(text);
        } catch {
          isJSON = false;
        }
        const fault = scanJSON(text);
        // A text with a repeated name is still JSON.
        const passed = fault === undefined || fault.message.includes("twice");
        expect(passed).toBe(isJSON || fault?.message.includes("twice") === true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("knows where a value stands, or what is nearest around it", () => {
    const text = '{"a": [1, {"b": 2}], "c": 3}';
    const [found = 0, around = 0, whole, unknown] = offsetsOf(text, [
      ["a", 1, "b"],
      ["a", 1, "z", "y"],
      [],
      ["z"],
    ]);
    expect(text.slice(found)).toMatch(/^2/);
    expect(text.slice(around)).toMatch(/^\{"b"/);
    expect(whole).toBe(0);
    expect(unknown).toBe(0);
  });
});
