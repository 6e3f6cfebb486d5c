import { expect, test } from "vitest";
import { restartDelayMs } from "./restart-delay.ts";

test("a process that fails again and again waits longer and longer, up to half a minute", () => {
  const longest = Array.from({ length: 9 }, (_, index) => restartDelayMs(index + 1, () => 1));
  expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(restartDelayMs(10_000, () => 1)).toBe(30_000);
});

test("chance takes up to half of the wait away", () => {
  expect(restartDelayMs(3, () => 0)).toBe(1_000);
  expect(restartDelayMs(3, () => 0.5)).toBe(1_500);
});
