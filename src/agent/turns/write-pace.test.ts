import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { MAX_WRITE_INTERVAL_MS } from "../contracts/limits.ts";
import { WritePace } from "./write-pace.ts";

function aPace(streams: number) {
  const clock = new ManualClock();
  const pace = new WritePace(clock);
  for (let stream = 0; stream < streams; stream++) pace.enter();
  const written: string[] = [];
  const write = (name: string) => () => void written.push(`${name} at ${clock.monotonic()}`);
  return { clock, pace, written, write };
}

describe("the pace of writes", () => {
  it("is none for a few streams, and grows with their number to its limit", () => {
    const intervals = [0, 1, 9, 10, 50, 100, 1_000].map(
      (streams) => aPace(streams).pace.intervalMs,
    );
    expect(intervals).toEqual([0, 0, 0, 4, 20, MAX_WRITE_INTERVAL_MS, MAX_WRITE_INTERVAL_MS]);
  });

  it("shrinks when streams end", () => {
    const { pace } = aPace(50);
    for (let stream = 0; stream < 45; stream++) pace.leave();
    expect(pace.intervalMs).toBe(0);
  });

  it("writes at one time what waits, with one timer", async () => {
    const { clock, pace, written, write } = aPace(50);
    await clock.advance(5);
    pace.wait(write("a"));
    await clock.advance(5);
    pace.wait(write("b"));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(100);
    expect(written).toEqual(["a at 20", "b at 20"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("does not write what was cancelled", async () => {
    const { clock, pace, written, write } = aPace(50);
    const cancelled = write("a");
    pace.wait(cancelled);
    pace.wait(write("b"));
    pace.cancel(cancelled);
    await clock.advance(100);
    expect(written).toEqual(["b at 20"]);
  });

  it("writes what waits though the other streams have ended meanwhile", async () => {
    const { clock, pace, written, write } = aPace(1);
    pace.wait(write("a"));
    await clock.advance(100);
    expect(written).toEqual(["a at 4"]);
  });

  it("lets what begins to wait during a write wait for the next one", async () => {
    const { clock, pace, written, write } = aPace(50);
    pace.wait(() => pace.wait(write("a")));
    await clock.advance(20);
    expect(written).toEqual([]);
    await clock.advance(20);
    expect(written).toEqual(["a at 40"]);
  });
});
