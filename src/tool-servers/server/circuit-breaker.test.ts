import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

function aBreaker() {
  const clock = new ManualClock();
  const breaker = new CircuitBreaker({ clock, maxFailures: 3, restMs: 5_000 });
  const fail = (times: number): void => {
    for (let each = 0; each < times; each += 1) if (breaker.mayCall()) breaker.ended("failed");
  };
  return { clock, breaker, fail };
}

describe("a circuit breaker", () => {
  it("refuses calls after failures in a row, for a while", async () => {
    const { clock, breaker, fail } = aBreaker();
    fail(2);
    expect(breaker.mayCall()).toBe(true);
    breaker.ended("failed");
    expect(breaker.mayCall()).toBe(false);
    await clock.advance(4_999);
    expect(breaker.mayCall()).toBe(false);
    await clock.advance(1);
    expect(breaker.mayCall()).toBe(true);
  });

  it("counts from the beginning after an answer, and nothing for a call that was cancelled", () => {
    const { breaker, fail } = aBreaker();
    fail(2);
    breaker.ended("answered");
    fail(2);
    breaker.ended("unknown");
    expect(breaker.mayCall()).toBe(true);
    fail(1);
    expect(breaker.mayCall()).toBe(false);
  });

  it.each([
    ["answered", true],
    ["failed", false],
  ] as const)("lets one call try it, and after that has %s, others: %s", async (result, others) => {
    const { clock, breaker, fail } = aBreaker();
    fail(3);
    await clock.advance(5_000);
    expect([breaker.mayCall(), breaker.mayCall()]).toEqual([true, false]);
    breaker.ended(result);
    expect(breaker.mayCall()).toBe(others);
  });

  it("lets another call try it when the one that did was cancelled", async () => {
    const { clock, breaker, fail } = aBreaker();
    fail(3);
    await clock.advance(5_000);
    breaker.mayCall();
    breaker.ended("unknown");
    expect([breaker.mayCall(), breaker.mayCall()]).toEqual([true, false]);
  });
});
