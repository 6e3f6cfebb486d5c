import { describe, expect, it } from "vitest";
import { MAX_PATTERN_CHARACTERS, MAX_PATTERN_STEPS, Patterns, TOO_MUCH_WORK } from "./patterns.ts";
import { WorkBudget } from "./work-budget.ts";

function patternsWith(steps = 10_000_000): { patterns: Patterns; budget: WorkBudget } {
  const budget = new WorkBudget(steps);
  return { patterns: new Patterns(budget), budget };
}

describe("a pattern", () => {
  it("is looked for anywhere in the value", () => {
    const { patterns } = patternsWith();
    expect(patterns.test("b+", "abbc")).toBe("matches");
    expect(patterns.test("^b+", "abbc")).toBe("differs");
    expect(patterns.test("(?i)^ABBC$", "abbc")).toBe("matches");
    expect(patterns.test("^a.c$", "a\nc")).toBe("differs");
    expect(patterns.test("(?s)^a.c$", "a\nc")).toBe("matches");
  });

  it("takes steps in proportion to its value, where other engines take for ever", () => {
    const { patterns, budget } = patternsWith();
    const stepsFor = (characters: number): number => {
      const before = budget.spent;
      expect(patterns.test("^(a+)+$", `${"a".repeat(characters)}b`)).toBe("differs");
      return budget.spent - before;
    };
    stepsFor(1);
    expect(stepsFor(20_000)).toBeLessThan(2.1 * stepsFor(10_000));
  });

  it("that is too much work for what is left is a problem, and no answer", () => {
    const { patterns, budget } = patternsWith(100_000);
    expect(patterns.test("^a*$", "a".repeat(1_000))).toBe("matches");
    expect(patterns.test("^a*$", "a".repeat(1_000_000))).toEqual({ problem: TOO_MUCH_WORK });
    expect(budget.spent).toBeLessThan(100_000);
    expect(patterns.test("b{600}", "")).toEqual({ problem: TOO_MUCH_WORK });
    expect(patterns.problemOf("c{600}")).toBe(TOO_MUCH_WORK);
  });

  it("is paid for once, however often it is there", () => {
    const { patterns, budget } = patternsWith();
    patterns.problemOf("^[a-z]{1,100}$");
    const { spent } = budget;
    for (let time = 0; time < 100; time += 1) patterns.problemOf("^[a-z]{1,100}$");
    expect(budget.spent).toBe(spent);
  });

  it("is paid for where it is refused, too", () => {
    const { patterns, budget } = patternsWith();
    patterns.problemOf(`(${"a".repeat(1_000)}`);
    patterns.problemOf("((a{1000}){1000})");
    expect(budget.spent).toBeGreaterThan(100_000);
  });

  it.each([
    ["(", "is no regular expression: missing closing ) at ("],
    ["(?=a)", "is no regular expression: there is no lookahead or lookbehind in RE2"],
    ["(?!a)", "is no regular expression: there is no lookahead or lookbehind in RE2"],
    ["(?<=a)b", "is no regular expression: there is no lookahead or lookbehind in RE2"],
    ["(?<!a)b", "is no regular expression: there is no lookahead or lookbehind in RE2"],
    ["(?>a)", "is no regular expression: there is no atomic group in RE2"],
    ["(a)\\1", "is no regular expression: there is no backreference in RE2"],
    ["(?<n>a)\\k<n>", "is no regular expression: there is no backreference in RE2"],
    ["\\u00e9", "is no regular expression: RE2 writes a character by its number as \\x{00e9}"],
    ["a++", "is no regular expression: there is no possessive quantifier in RE2"],
    ["a{1001}", "is no regular expression: the counts of a repetition are at most 1000 in RE2"],
    ["\\p{ASCII_Hex}", "is no regular expression: RE2 knows classes like \\pL"],
    ["((a{1000}){1000})", "is too large a pattern: with its repetitions it unfolds to thousands"],
    ["(((a{50}){50}){50}){50}", "is too large a pattern"],
    ["(?:\\pL{999}){9}".repeat(9), "is too large a pattern"],
    [`(?i)${"[\u0100-\u{1dfff}]".repeat(9)}`, "is too large a pattern"],
    ["a".repeat(MAX_PATTERN_CHARACTERS + 1), "is a pattern of more than 4096 characters"],
    ["(".repeat(900), "is no regular expression: "],
  ])("%j is refused with the cure", (pattern, problem) => {
    const { patterns } = patternsWith();
    expect(patterns.problemOf(pattern)).toContain(problem);
    expect(patterns.test(pattern, "a")).toEqual({ problem: patterns.problemOf(pattern) });
  });

  it("is never more than its share to compile", () => {
    const { patterns, budget } = patternsWith();
    for (const pattern of ["a{1000}".repeat(9), "\\pL".repeat(90), "(?:a|b){900}"]) {
      const before = budget.spent;
      expect(patterns.problemOf(pattern)).toBeUndefined();
      expect(budget.spent - before).toBeLessThan(MAX_PATTERN_STEPS + 100 * MAX_PATTERN_CHARACTERS);
    }
  });
});
