import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shortValue } from "./short-value.ts";

describe("the short form of arguments", () => {
  it.each([
    [{ city: "Berlin" }, '{city:"Berlin"}'],
    [{ "a b": [1, null, true], c: {} }, '{"a b":[1, null, true], c:{}}'],
    [{ a: { b: { c: { d: 1 } } } }, "{a:{b:{c:{…}}}}"],
    ["text", '"text"'],
  ])("writes %j", (value, expected) => {
    expect(shortValue(value)).toBe(expected);
  });

  it("is short, on one line and well-formed whatever the value is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const text = shortValue(value);
        expect(text.length).toBeLessThanOrEqual(80);
        expect(text).not.toContain("\n");
        expect(text.isWellFormed()).toBe(true);
      }),
    );
  });
});
