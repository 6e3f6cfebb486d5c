/** The condition `when` of an eval: whether it is judged at all. */
import { Patterns } from "../../promptpack/patterns/patterns.ts";
import { WorkBudget } from "../../promptpack/patterns/work-budget.ts";
import type { TurnRecord } from "../conversation/transcript.ts";

export interface Circumstances {
  readonly turns: readonly TurnRecord[];
  readonly turnCount: number;
  readonly variables: Readonly<Record<string, string>>;
}

export type Condition = (circumstances: Circumstances) => boolean;

export type ReadCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly problem: string };

const MAX_STEPS = 2_000_000;

type Reader = (value: unknown) => Condition | undefined;

const READERS: Readonly<Record<string, Reader>> = {
  has_variable: (name) =>
    typeof name === "string" ? ({ variables }) => Object.hasOwn(variables, name) : undefined,
  turn_count_gte: (least) =>
    typeof least === "number" ? ({ turnCount }) => turnCount >= least : undefined,
  turn_count_lte: (most) =>
    typeof most === "number" ? ({ turnCount }) => turnCount <= most : undefined,
  any_tool_called: (wanted) =>
    typeof wanted === "boolean" ? ({ turns }) => !wanted || toolsIn(turns).length > 0 : undefined,
  min_tool_calls: (least) =>
    typeof least === "number" ? ({ turns }) => toolsIn(turns).length >= least : undefined,
  tool_called: (name) =>
    typeof name === "string" ? ({ turns }) => toolsIn(turns).includes(name) : undefined,
  tool_called_pattern: (pattern) => {
    if (typeof pattern !== "string") return undefined;
    const patterns = new Patterns(new WorkBudget(MAX_STEPS));
    if (patterns.problemOf(pattern) !== undefined) return undefined;
    return ({ turns }) =>
      toolsIn(turns).some(
        (name) => patterns.test(pattern, name, new WorkBudget(MAX_STEPS)) === "matches",
      );
  },
};

/** All parts of a condition have to hold. */
export function readCondition(when: Readonly<Record<string, unknown>> = {}): ReadCondition {
  const conditions: Condition[] = [];
  for (const [name, value] of Object.entries(when)) {
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (reader === undefined) {
      const known = Object.keys(READERS).join(", ");
      return { ok: false, problem: `when.${name} is not known here; known are ${known}` };
    }
    const condition = reader(value);
    if (condition === undefined) return { ok: false, problem: `when.${name} cannot be read` };
    conditions.push(condition);
  }
  return { ok: true, condition: (circumstances) => conditions.every((one) => one(circumstances)) };
}

function toolsIn(turns: readonly TurnRecord[]): string[] {
  return turns.flatMap(({ toolCalls }) => toolCalls.map(({ name }) => name));
}
