import { isDeepStrictEqual } from "node:util";
import type { WireRule } from "./wire-case.ts";

/** What is wrong with the JSON of a request's body by this rule; undefined when nothing is. */
export function problemByRule(rule: WireRule, body: string): string | undefined {
  if (rule.wellFormedUnicode === true) return illFormedText(JSON.parse(body));
  const path = rule.path ?? "";
  const found = valuesAt(JSON.parse(body), path.split("."));
  if (rule.absent === true) return found.length === 0 ? undefined : `${path} is there`;
  const { value, contains } = rule;
  const fits = found.some((candidate) => {
    if (value !== undefined) return isDeepStrictEqual(candidate, value);
    if (contains !== undefined)
      return typeof candidate === "string" && candidate.includes(contains);
    return true;
  });
  if (fits) return undefined;
  return `${path} is ${JSON.stringify(found)} and not ${JSON.stringify(value ?? contains ?? "there")}`;
}

/** The values that a path leads to. `*` stands for any item of a list. */
function valuesAt(value: unknown, [first, ...rest]: readonly string[]): unknown[] {
  if (first === undefined) return [value];
  if (typeof value !== "object" || value === null) return [];
  if (first === "*")
    return Array.isArray(value) ? value.flatMap((item) => valuesAt(item, rest)) : [];
  return Object.hasOwn(value, first)
    ? valuesAt((value as Record<string, unknown>)[first], rest)
    : [];
}

/** Names the first string or key with half a surrogate pair. */
export function illFormedText(value: unknown, path = "body"): string | undefined {
  if (typeof value === "string") {
    return value.isWellFormed() ? undefined : `${path} is not well-formed Unicode`;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    if (!key.isWellFormed()) return `a key of ${path} is not well-formed Unicode`;
    const problem = illFormedText(child, `${path}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
