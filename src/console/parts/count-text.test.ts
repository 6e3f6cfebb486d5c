import { describe, expect, it } from "vitest";
import { countText, numberText, tokensText } from "./count-text.ts";

describe("a count", () => {
  it("has its thousands apart", () => {
    expect([0, 999, 1_000, 1_234_567].map(numberText)).toEqual(["0", "999", "1,000", "1,234,567"]);
  });

  it("says one of a thing, and several of others", () => {
    expect([0, 1, 2, 1_000].map((count) => countText(count, "turn"))).toEqual([
      "0 turns",
      "1 turn",
      "2 turns",
      "1,000 turns",
    ]);
  });

  it("says the tokens that went in and those that came out", () => {
    expect(tokensText(1, 1)).toBe("1 + 1 tokens");
    expect(tokensText(12_345, 0)).toBe("12,345 + 0 tokens");
  });
});
