import { describe, expect, it } from "vitest";
import { durationText, tookText } from "./duration-text.ts";

describe("a time as people say it", () => {
  it.each([
    [-5_000, "0 s"],
    [999, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_599_999, "59 min"],
    [3_600_000, "1 h"],
    [47 * 3_600_000, "47 h"],
    [48 * 3_600_000, "2 d"],
  ])("%i ms ago is %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it.each([
    [0.4, "0 ms"],
    [412, "412 ms"],
    [3_420, "3.4 s"],
    [65_000, "1 min"],
  ])("what took %d ms took %s", (ms, text) => {
    expect(tookText(ms)).toBe(text);
  });
});
