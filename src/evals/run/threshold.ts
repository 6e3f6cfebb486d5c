/** What score is enough. */
import type { Verdict } from "../judges/judge.ts";

export type IsEnough = (score: number) => boolean;

export type ReadThreshold =
  | { readonly ok: true; readonly isEnough: IsEnough | undefined; readonly text: string }
  | { readonly ok: false; readonly problem: string };

const COMPARISONS: Readonly<Record<string, (score: number, value: number) => boolean>> = {
  gte: (score, value) => score >= value,
  ">=": (score, value) => score >= value,
  gt: (score, value) => score > value,
  ">": (score, value) => score > value,
  lte: (score, value) => score <= value,
  "<=": (score, value) => score <= value,
  lt: (score, value) => score < value,
  "<": (score, value) => score < value,
  eq: (score, value) => score === value,
  "==": (score, value) => score === value,
  "=": (score, value) => score === value,
  ne: (score, value) => score !== value,
  "!=": (score, value) => score !== value,
};

interface Written {
  readonly operator?: string | undefined;
  readonly value?: number | undefined;
}

/** `params` may name a lowest and a highest score in its place. */
export function readThreshold(
  written: Written | undefined,
  params: Readonly<Record<string, unknown>>,
): ReadThreshold {
  if (written === undefined || (written.operator === undefined && written.value === undefined)) {
    return readScores(params);
  }
  const { operator = "gte", value } = written;
  const compare = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
  if (compare === undefined) {
    return {
      ok: false,
      problem: `threshold.operator must be one of gte, gt, lte, lt, eq and ne, and not "${operator}"`,
    };
  }
  if (value === undefined) return { ok: false, problem: "threshold needs a value" };
  const text = `${operator} ${value}`;
  return { ok: true, isEnough: (score) => compare(score, value), text };
}

function readScores(params: Readonly<Record<string, unknown>>): ReadThreshold {
  const { min_score: min, max_score: max } = params;
  if (min === undefined && max === undefined) return { ok: true, isEnough: undefined, text: "" };
  if (!isLimit(min) || !isLimit(max)) {
    return { ok: false, problem: "params.min_score and params.max_score must be numbers" };
  }
  const text = [min === undefined ? [] : `gte ${min}`, max === undefined ? [] : `lte ${max}`]
    .flat()
    .join(" and ");
  return {
    ok: true,
    isEnough: (score) => score >= (min ?? -Infinity) && score <= (max ?? Infinity),
    text,
  };
}

function isLimit(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === "number" && Number.isFinite(value));
}

/** Without a threshold the judge itself says what is enough. What could not be judged is never enough. */
export function hasPassed({ score, passed }: Verdict, isEnough: IsEnough | undefined): boolean {
  if (score === undefined) return false;
  return isEnough === undefined ? passed : isEnough(score);
}
