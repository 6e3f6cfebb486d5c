import { describe, expect, it } from "vitest";
import { nextSentences } from "./announcement.ts";

describe("what is said of an answer", () => {
  it("waits for the end of a sentence", () => {
    expect(nextSentences("It is", 0, false)).toBeUndefined();
    expect(nextSentences("It is 18.5 °C. And", 0, false)).toEqual({
      said: "It is 18.5 °C.",
      saidLength: 14,
    });
  });

  it("says the rest at the end", () => {
    expect(nextSentences("It is. And sunny", 6, true)).toEqual({
      said: "And sunny",
      saidLength: 16,
    });
  });

  it("leaves the marks of Markdown out", () => {
    expect(nextSentences("# **Bold** [link](https://example.com)\n", 0, true)?.said).toBe(
      "Bold link",
    );
  });

  it("says nothing twice, and all in the end", () => {
    const text = "One. Two! Three? Four";
    let said = "";
    let at = 0;
    for (let length = 0; length <= text.length; length += 1) {
      const next = nextSentences(text.slice(0, length), at, length === text.length);
      if (next === undefined) continue;
      said += ` ${next.said}`;
      at = next.saidLength;
    }
    expect(said.trim()).toBe(text);
  });
});
