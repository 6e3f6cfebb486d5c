import { describe, expect, it } from "vitest";
import { costText } from "./cost-text.ts";

describe("a cost for people", () => {
  it.each([
    [0, "0.00 USD"],
    [0.000000001, "0.000000001 USD"],
    [0.00000012345, "0.000000123 USD"],
    [0.0017, "0.0017 USD"],
    [0.012345, "0.0123 USD"],
    [0.1, "0.10 USD"],
    [0.99996, "1.00 USD"],
    [1, "1.00 USD"],
    [12.345678, "12.35 USD"],
    [1234567.891, "1,234,567.89 USD"],
  ])("shows %d as %s", (amount, text) => {
    expect(costText({ amount, currency: "USD" })).toBe(text);
  });
});
