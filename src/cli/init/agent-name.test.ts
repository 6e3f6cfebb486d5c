import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentNameProblem, suggestAgentName } from "./agent-name.ts";

describe("the name of an agent", () => {
  it.each([
    ["support", "support"],
    ["My Agent", "my-agent"],
    ["Café_zürich.v2", "cafe-zurich-v2"],
    ["2024", "agent-2024"],
    ["--x--", "x"],
    ["-7 up", "agent-7-up"],
    ["日本語", "assistant"],
    ["", "assistant"],
    ["..", "assistant"],
    [`${"a".repeat(62)}-b`, "a".repeat(62)],
  ])("is made of %o", (text, name) => {
    expect(suggestAgentName(text)).toBe(name);
  });

  it("is valid whatever it is made of", () => {
    const codePoint = fc.oneof(
      fc.integer({ min: 0, max: 0x7f }),
      fc.integer({ max: 0x10_ffff, min: 0 }),
    );
    fc.assert(
      fc.property(fc.array(codePoint, { maxLength: 100 }), (codePoints) => {
        const text = String.fromCodePoint(...codePoints);
        expect(agentNameProblem(suggestAgentName(text))).toBeUndefined();
      }),
    );
  });

  it("stays as it is when it is valid, and is refused with a better one otherwise", () => {
    expect(agentNameProblem("support-2")).toBeUndefined();
    expect(agentNameProblem("My_Agent")).toMatch(/"My_Agent" cannot be.*"my-agent" would do/);
    expect(agentNameProblem("a".repeat(64))).toMatch(/at most 63/);
  });
});
