import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { FlushSchedule } from "./flush-schedule.ts";

describe("the schedule of showing what came", () => {
  it("shows all that came before a frame at once", () => {
    const { schedule, drawFrame, flushes } = setUp({ costMs: 0 });
    schedule.ask();
    schedule.ask();
    expect(flushes).toEqual([]);
    drawFrame();
    expect(flushes).toEqual([0]);
    drawFrame();
    expect(flushes).toEqual([0]);
  });

  it("rests for four times as long as the last showing took", async () => {
    const { schedule, drawFrame, flushes, clock } = setUp({ costMs: 20 });
    schedule.ask();
    drawFrame();
    schedule.ask();
    drawFrame();
    await clock.advance(79);
    drawFrame();
    expect(flushes).toHaveLength(1);
    await clock.advance(1);
    drawFrame();
    expect(flushes).toHaveLength(2);
  });

  it("shows what came in a page that draws no frames", async () => {
    const { schedule, flushes, clock } = setUp({ costMs: 0 });
    schedule.ask();
    await clock.advance(250);
    expect(flushes).toHaveLength(1);
  });

  it("shows nothing once it is closed", async () => {
    const { schedule, drawFrame, flushes, clock } = setUp({ costMs: 0 });
    schedule.ask();
    schedule.close();
    drawFrame();
    await clock.advance(1_000);
    expect(flushes).toEqual([]);
  });
});

function setUp({ costMs }: { costMs: number }) {
  const clock = new ManualClock();
  const waiting: (() => void)[] = [];
  const flushes: number[] = [];
  let spent = 0;
  const schedule = new FlushSchedule({
    clock: {
      monotonic: () => clock.monotonic() + spent,
      setTimer: (ms, callback) => clock.setTimer(ms, callback),
    },
    onNextFrame: (callback) => waiting.push(callback),
    flush: () => {
      flushes.push(clock.monotonic());
      spent += costMs;
    },
  });
  const drawFrame = (): void => {
    for (const callback of waiting.splice(0)) callback();
  };
  return { schedule, drawFrame, flushes, clock };
}
