/** Keywords that judge strings, and let everything else pass. */
import type { KeywordContext, KeywordReader, Checking } from "./schema-node.ts";
import { UnjudgedError } from "./value-check.ts";

export function readCount(keyword: string, count: unknown, { refuse }: KeywordContext): number {
  if (Number.isInteger(count) && (count as number) >= 0) return count as number;
  return refuse("must be an integer of 0 or more", keyword);
}

/** `what` names that which is counted. */
export function countMessage(side: "most" | "least", count: number, what: string): string {
  return `must NOT have ${side === "most" ? "more" : "fewer"} than ${count} ${what}`;
}

function lengthKeyword(keyword: string, side: "most" | "least"): KeywordReader {
  return (written, context) => {
    const limit = readCount(keyword, written, context);
    return (value, check) => {
      if (typeof value !== "string") return true;
      const length = lengthOf(value, check);
      const holds = side === "most" ? length <= limit : length >= limit;
      return holds || check.fail(countMessage(side, limit, "characters"));
    };
  };
}

/** Characters as people count them. */
function lengthOf(value: string, check: Checking): number {
  check.take(value.length);
  let length = 0;
  for (const _character of value) length += 1;
  return length;
}

export const readMaxLength = lengthKeyword("maxLength", "most");
export const readMinLength = lengthKeyword("minLength", "least");

export const readPattern: KeywordReader = (pattern, context) => {
  if (typeof pattern !== "string") return context.refuse("must be a string", "pattern");
  const test = patternTest(pattern, context, "pattern");
  return (value, check) =>
    typeof value !== "string" ||
    test(value, check) ||
    check.fail(`must match pattern "${pattern}"`);
};

/** `place`: where the pattern stands in its schema. */
export function patternTest(
  pattern: string,
  { patterns, budget, refuse }: KeywordContext,
  ...place: string[]
): (value: string, check: Checking) => boolean {
  const problem = patterns.problemOf(pattern, budget);
  if (problem !== undefined) return refuse(problem, ...place);
  return (value, check) => {
    const verdict = patterns.test(pattern, value, check.budget);
    if (typeof verdict === "object") throw new UnjudgedError("it is too much work");
    return verdict === "matches";
  };
}
