import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { RateLimit } from "./rate-limit.ts";

describe("RateLimit", () => {
  it("lets a burst through, then as much as comes back over time", async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(clock, () => ({ perSecond: 2, burst: 3 }));
    const taken = () => Array.from({ length: 5 }, () => limit.take()).filter(Boolean).length;
    expect(taken()).toBe(3);
    await clock.advance(1_000);
    expect(taken()).toBe(2);
    await clock.advance(60_000);
    expect(taken()).toBe(3);
  });

  it("takes back what was not used, up to the burst", () => {
    const limit = new RateLimit(new ManualClock(), () => ({
      perSecond: 1,
      burst: 1,
    }));
    limit.giveBack();
    expect([limit.take(), limit.take()]).toEqual([true, false]);
    limit.giveBack();
    expect(limit.take()).toBe(true);
  });
});
