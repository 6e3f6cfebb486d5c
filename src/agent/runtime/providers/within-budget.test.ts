import { describe, expect, it } from "vitest";
import { withinBudget } from "./within-budget.ts";

describe("the limit on an answer", () => {
  it.each([
    ["what the agent asks for, without a budget", 500, undefined, 500],
    ["what the agent asks for, where more is left", 500, 501, 500],
    ["what is left, where that is less", 500, 499, 499],
    ["what every provider takes, at least", 500, 3, 16],
    ["what the agent asks for, even where that is less than a provider takes", 8, 3, 8],
    ["none, where the agent asks for none and much is left", undefined, 4_097, undefined],
    ["what is left, where every model can be asked for as much", undefined, 4_096, 4_096],
  ])("is %s", (_what, asked, left, limit) => {
    const sampling = asked === undefined ? { topK: 1 } : { topK: 1, maxOutputTokens: asked };
    const within = withinBudget(sampling, left);
    expect(within.maxOutputTokens).toBe(limit);
    expect(within.topK).toBe(1);
  });
});
