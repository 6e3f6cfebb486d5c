import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { systemClock } from "./clock.ts";

describe.each([
  [
    "the system's clock",
    () => ({ clock: systemClock, pass: (ms: number) => systemClock.sleep(ms) }),
  ],
  [
    "a clock moved by hand",
    () => {
      const clock = new ManualClock();
      return { clock, pass: (ms: number) => clock.advance(ms) };
    },
  ],
])("%s", (_, setUp) => {
  it("sleeps until the time has passed", async () => {
    const { clock, pass } = setUp();
    const before = clock.monotonic();
    const sleep = clock.sleep(5);
    await pass(10);
    await sleep;
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(4);
  });

  it("wakes from a sleep with the reason of an abort", async () => {
    const { clock } = setUp();
    const controller = new AbortController();
    const sleep = clock.sleep(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleep).rejects.toThrow("enough");
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow("enough");
  });

  it("does not call back for a cancelled timer", async () => {
    const { clock, pass } = setUp();
    let called = false;
    const timer = clock.setTimer(1, () => (called = true));
    timer.cancel();
    timer.cancel();
    await pass(5);
    expect(called).toBe(false);
  });
});
