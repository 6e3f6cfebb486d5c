import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { Deadline } from "./deadline.ts";

describe("a deadline", () => {
  it("aborts when its time is over", async () => {
    const clock = new ManualClock();
    using deadline = new Deadline({ ms: 1_000, clock });
    await clock.advance(999);
    expect(deadline.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.signal.aborted).toBe(true);
    expect(deadline.isOver).toBe(true);
    expect(deadline.signal.reason).toMatchObject({ name: "TimeoutError" });
  });

  it("aborts with the other signal and its reason", () => {
    const controller = new AbortController();
    using deadline = new Deadline({
      ms: 1_000,
      clock: new ManualClock(),
      signal: controller.signal,
    });
    controller.abort("enough");
    expect(deadline.signal.reason).toBe("enough");
    expect(deadline.isOver).toBe(false);
  });

  it("sets no timer when the other signal was aborted before", () => {
    const clock = new ManualClock();
    using deadline = new Deadline({ ms: 1_000, clock, signal: AbortSignal.abort("enough") });
    expect(deadline.signal.reason).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  it("leaves nothing behind once it is disposed", () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    {
      using deadline = new Deadline({ ms: 1_000, clock, signal: controller.signal });
      expect(deadline.signal.aborted).toBe(false);
    }
    expect(clock.pendingTimers).toBe(0);
  });
});
