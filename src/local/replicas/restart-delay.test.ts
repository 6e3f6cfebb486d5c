import { describe, expect, it } from "vitest";
import { restartDelay } from "./restart-delay.ts";

describe("the delay of a restart", () => {
  it("grows with every process in a row that fails, up to half a minute", () => {
    const longest = Array.from({ length: 9 }, (_, index) => restartDelay(() => 1)(index + 1));
    expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(restartDelay(() => 1)(10_000)).toBe(30_000);
  });

  it("is shortened by chance, by half of it at most", () => {
    expect(restartDelay(() => 0)(3)).toBe(1_000);
    expect(restartDelay(() => 0.5)(3)).toBe(1_500);
  });
});
