import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { LATE, within } from "./within.ts";

const never = new Promise<string>(() => {});

describe("within", () => {
  it("gives what the work gives, and leaves no timer behind", async () => {
    const clock = new ManualClock();
    expect(await within(1_000, Promise.resolve("done"), clock)).toBe("done");
    expect(clock.pendingTimers).toBe(0);
  });

  it("rejects as the work rejects", async () => {
    const clock = new ManualClock();
    await expect(within(1_000, Promise.reject(new Error("failed")), clock)).rejects.toThrow(
      "failed",
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it("says that the work is late when the time is over", async () => {
    const clock = new ManualClock();
    const waiting = within(1_000, never, clock);
    await clock.advance(1_000);
    expect(await waiting).toBe(LATE);
  });

  it("takes a rejection that comes too late without a word", async () => {
    const clock = new ManualClock();
    const { promise, reject } = Promise.withResolvers<string>();
    const waiting = within(1_000, promise, clock);
    await clock.advance(1_000);
    reject(new Error("too late"));
    expect(await waiting).toBe(LATE);
  });
});
