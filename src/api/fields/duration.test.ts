import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DURATION_PATTERN, DurationError, formatDuration, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1.s", 1_000],
    ["250ms", 250],
    ["1500µs", 1.5],
    ["1500μs", 1.5],
    ["1us", 0.001],
    ["1ns", 0.000_001],
    ["0s", 0],
    ["1m1m", 120_000],
    ["0.1s", 100],
    ["1.1h", 3_960_000],
  ])("reads %s as %d ms", (duration, milliseconds) => {
    expect(parseDuration(duration)).toBe(milliseconds);
  });

  it.each(["", "1", "1d", "1 h", "-1h", "+1h", "h", "1h30", "1H", "1,5h", "1e3s", "1..5s", "١s"])(
    "refuses %j",
    (duration) => {
      expect(() => parseDuration(duration)).toThrow(DurationError);
      expect(DURATION_PATTERN.test(duration)).toBe(false);
    },
  );

  it("refuses a text that is too long, however regular", () => {
    expect(() => parseDuration("1s".repeat(33))).toThrow(DurationError);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0s"],
    [1, "1ms"],
    [90_000, "1m30s"],
    [3_600_000, "1h"],
    [5_400_001, "1h30m1ms"],
    [86_400_000, "24h"],
  ])("writes %d ms as %s", (milliseconds, duration) => {
    expect(formatDuration(milliseconds)).toBe(duration);
  });

  it("is read back as the same", () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 12 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });
});
