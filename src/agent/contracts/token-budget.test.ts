import { describe, expect, it } from "vitest";
import type { TurnError } from "./turn-error.ts";
import { TokenBudget, tokenLimits, utcDay, type SpentBefore } from "./token-budget.ts";

const NOON = Date.UTC(2026, 10, 29, 12);
const CONFIG = { maxTokensPerTurn: 100, maxTokensPerSession: 1_000, maxTokensPerDay: 10_000 };

function aBudget(spent: Partial<SpentBefore> = {}, config = CONFIG, now = NOON): TokenBudget {
  const before = { session: undefined, today: undefined, ...spent };
  return new TokenBudget(tokenLimits(config, before), () => now);
}

function use(budget: TokenBudget, input_tokens: number, output_tokens = 0): void {
  budget.use({ input_tokens, output_tokens });
}

function errorOf(budget: TokenBudget): TurnError | undefined {
  try {
    budget.check();
    return undefined;
  } catch (error) {
    return error as TurnError;
  }
}

describe("the budget of a turn", () => {
  it("leaves the least of what its limits leave", () => {
    expect(aBudget().left).toBe(100);
    expect(aBudget({ session: 990 }).left).toBe(10);
    expect(aBudget({ session: 990, today: 9_995 }).left).toBe(5);
    expect(aBudget({ session: 2_000 }).left).toBe(0);
  });

  it("has no limit where the spec has none", () => {
    const budget = new TokenBudget(tokenLimits(undefined, { session: 5, today: 5 }), () => NOON);
    use(budget, 1e9);
    expect(budget.left).toBeUndefined();
    expect(errorOf(budget)).toBeUndefined();
    expect(budget.used).toBe(1e9);
  });

  it("is spent when what goes in and comes out reaches the limit, and not before", () => {
    const budget = aBudget();
    use(budget, 90, 9);
    expect(errorOf(budget)).toBeUndefined();
    use(budget, 0, 1);
    expect(errorOf(budget)).toMatchObject({
      code: "UNAVAILABLE",
      message: "The budget of a turn is spent: 100 of 100 tokens. What was said so far is kept.",
      details: { budget: "turn", limit: 100, spent: 100 },
    });
  });

  it("counts what the turn used on another replica", () => {
    const limits = tokenLimits(CONFIG, { session: undefined, today: undefined });
    const budget = new TokenBudget(limits, () => NOON, { input_tokens: 60, output_tokens: 30 });
    expect(budget.left).toBe(10);
    expect(budget.used).toBe(90);
  });

  it("names the session whose budget is spent, which no waiting helps", () => {
    const error = errorOf(aBudget({ session: 1_200 }));
    expect(error).toMatchObject({ code: "UNAVAILABLE" });
    expect(error?.details).toEqual({ budget: "session", limit: 1_000, spent: 1_200 });
  });

  it.each([
    [NOON, 43_200],
    [Date.UTC(2026, 10, 29), 86_400],
    [Date.UTC(2026, 10, 29, 23, 59, 59, 1), 1],
  ])(
    "says how long it is until midnight UTC when that of the day is spent (%i)",
    (now, seconds) => {
      const error = errorOf(aBudget({ session: 1_200, today: 10_000 }, CONFIG, now));
      expect(error?.details).toEqual({
        budget: "day",
        limit: 10_000,
        spent: 10_000,
        retry_after: seconds,
      });
    },
  );
});

describe("a day", () => {
  it("begins at midnight UTC", () => {
    expect(utcDay(Date.UTC(2026, 0, 1) - 1)).toBe("2025-12-31");
    expect(utcDay(Date.UTC(2026, 0, 1))).toBe("2026-01-01");
  });
});
