import { describe, expect, it } from "vitest";
import { quantityValue } from "./quantity.ts";

describe("quantityValue", () => {
  it.each([
    ["500m", 0.5],
    ["0.5", 0.5],
    ["1.5Gi", 1.5 * 2 ** 30],
    ["1e3", 1_000],
    ["1E", 1e18],
    ["100k", 100_000],
    ["1.", 1],
    [".5", 0.5],
    ["", undefined],
    ["1 Gi", undefined],
    ["abc", undefined],
  ])("the quantity %j is %j", (text, value) => {
    expect(quantityValue(text)).toBe(value);
  });
});
