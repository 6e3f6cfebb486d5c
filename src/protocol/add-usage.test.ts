import { describe, expect, it } from "vitest";
import { addUsage } from "./add-usage.ts";

describe("the sum of what two steps used", () => {
  const tokens = { input_tokens: 3, output_tokens: 1 };
  const sum = { input_tokens: 6, output_tokens: 2 };
  const dollars = (amount: number) => ({ amount, currency: "USD" });

  it("is one of them where there is no other", () => {
    expect(addUsage(undefined, undefined)).toBeUndefined();
    expect(addUsage(tokens, undefined)).toBe(tokens);
    expect(addUsage(undefined, tokens)).toBe(tokens);
  });

  it("has the tokens of both, and no cost where neither has one", () => {
    expect(addUsage(tokens, tokens)).toStrictEqual(sum);
  });

  it("has the cost of both, exact to a billionth", () => {
    const [one, other] = [dollars(0.1), dollars(0.2)];
    expect(addUsage({ ...tokens, cost: one }, { ...tokens, cost: other })).toEqual({
      ...sum,
      cost: dollars(0.3),
    });
  });

  it("has the cost of the one that has a cost", () => {
    const cost = dollars(0.5);
    expect(addUsage({ ...tokens, cost }, tokens)).toEqual({ ...sum, cost });
    expect(addUsage(tokens, { ...tokens, cost })).toEqual({ ...sum, cost });
  });

  it("has the newer cost where the currencies differ", () => {
    const cost = { amount: 1, currency: "EUR" };
    expect(addUsage({ ...tokens, cost: dollars(2) }, { ...tokens, cost })).toEqual({
      ...sum,
      cost,
    });
  });
});
