import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { RateLimiter } from "./rate-limiter.ts";

const { signal } = new AbortController();

describe("RateLimiter", () => {
  it("lets a burst through at once, and the rest at the rate, in order", async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ clock, perSecond: 10, burst: 2 });
    const passed: number[] = [];
    for (const request of [1, 2, 3, 4]) void limiter.take(signal).then(() => passed.push(request));
    await clock.advance(0);
    expect(passed).toEqual([1, 2]);
    await clock.advance(100);
    expect(passed).toEqual([1, 2, 3]);
    await clock.advance(100);
    expect(passed).toEqual([1, 2, 3, 4]);
  });

  it("a request that was given up gives its place back", async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ clock, perSecond: 1, burst: 1 });
    await limiter.take(signal);
    const impatient = new AbortController();
    const given = limiter.take(impatient.signal);
    impatient.abort(new Error("given up"));
    await expect(given).rejects.toThrow("given up");
    await clock.advance(1_000);
    await limiter.take(signal);
  });

  it("what is not used in time is not saved beyond the burst", async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ clock, perSecond: 10, burst: 2 });
    await clock.advance(60_000);
    let passed = 0;
    for (let request = 0; request < 5; request += 1)
      void limiter.take(signal).then(() => (passed += 1));
    await clock.advance(0);
    expect(passed).toBe(2);
  });

  it("what can wait goes after what cannot, and yet goes", async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ clock, perSecond: 10, burst: 1 });
    await limiter.take(signal);
    const passed: string[] = [];
    const take = (name: string, priority: "now" | "later"): void => {
      void limiter.take(signal, priority).then(() => passed.push(name));
    };
    for (let index = 1; index <= 3; index += 1) take(`later ${index}`, "later");
    for (let index = 1; index <= 12; index += 1) take(`now ${index}`, "now");
    for (let tick = 0; tick < 15; tick += 1) await clock.advance(100);
    expect(passed.slice(0, 3)).toEqual(["now 1", "now 2", "now 3"]);
    expect(passed.indexOf("later 1")).toBe(10);
    expect(passed.slice(-2)).toEqual(["later 2", "later 3"]);
    expect(passed).toHaveLength(15);
  });
});
