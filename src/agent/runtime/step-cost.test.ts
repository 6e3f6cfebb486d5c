import { describe, expect, it } from "vitest";
import { stepCost } from "./step-cost.ts";

function usage(input: number | undefined, output: number | undefined, cacheRead?: number) {
  return {
    inputTokens: { total: input, noCache: undefined, cacheRead, cacheWrite: undefined },
    outputTokens: { total: output, text: undefined, reasoning: undefined },
  };
}

describe("the cost of a step", () => {
  const prices = { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10, currency: "USD" };
  const cachedInputPerMillionTokens = 0.25;

  it("is that of its input and of its output", () => {
    expect(stepCost(usage(1_000_000, 100_000), prices)).toEqual({ amount: 3.5, currency: "USD" });
    expect(stepCost(usage(1, 0), prices)).toEqual({ amount: 0.000_002_5, currency: "USD" });
    expect(stepCost(usage(undefined, 1), prices).amount).toBe(0.000_01);
  });

  it("has the price of cached input where there is one", () => {
    const used = usage(1_000_000, 0, 800_000);
    expect(stepCost(used, prices).amount).toBe(2.5);
    expect(stepCost(used, { ...prices, cachedInputPerMillionTokens }).amount).toBe(0.7);
  });

  it("takes no more input for cached than there was", () => {
    const used = usage(1_000, 0, 5_000);
    expect(stepCost(used, { ...prices, cachedInputPerMillionTokens }).amount).toBe(0.000_25);
  });
});
