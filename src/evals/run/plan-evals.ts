/** Decides which evals are judged: those of the pack and of its prompt, and what the turns of conversations expect. */
import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";
import type { Expectation } from "../conversation/read-conversations.ts";
import type { Judge } from "../judges/judge.ts";
import { MODEL_TYPES, readJudge } from "../judges/read-judge.ts";
import { readCondition, type Condition } from "./conditions.ts";
import { readThreshold, type IsEnough } from "./threshold.ts";

/** An eval as a pack writes it. */
export type WrittenEval = NonNullable<PromptPackDocument["evals"]>[number];

/** The share of a sampled eval that names none, in percent. */
const DEFAULT_SAMPLE_PERCENTAGE = 5;
const DEFAULT_GROUP = "default";

export interface PlannedEval {
  readonly id: string;
  readonly type: string;
  /** Whether each turn is judged, or the conversation once, when it has ended. */
  readonly scope: "turn" | "conversation";
  readonly judge: Judge;
  readonly isEnough: IsEnough | undefined;
  /** Such as `gte 4`, or empty. */
  readonly threshold: string;
  /** In place of what the judge found, for people. */
  readonly message: string | undefined;
  readonly condition: Condition;
  /** In percent; `undefined`: always. */
  readonly samplePercentage: number | undefined;
}

export interface EvalNotRun {
  readonly id: string;
  readonly type: string;
  readonly reason: string;
  /** Nothing here can run it, whatever its params are. Otherwise there is a mistake in it. */
  readonly isUnknown: boolean;
}

export interface EvalPlan {
  readonly evals: readonly PlannedEval[];
  readonly notRun: readonly EvalNotRun[];
}

export interface PlanOptions {
  /** The key of the prompt. */
  readonly prompt: string;
  /** Only evals of one of these groups are judged. Empty: all of them. */
  readonly groups: readonly string[];
  /** Whether a sampled eval is judged for its share only. Scripted conversations are few, so all of them are judged otherwise. */
  readonly isSampled: boolean;
}

/** What is switched off is left out. */
export function planEvals(pack: PromptPackDocument, options: PlanOptions): EvalPlan {
  const wanted = evalsOfPrompt(pack, options.prompt).filter(
    (one) => one.enabled !== false && isInGroups(one, options.groups),
  );
  return planWrittenEvals(wanted, options);
}

/** An eval of the prompt takes the place of that of the pack with the same id. */
export function evalsOfPrompt(
  pack: Pick<PromptPackDocument, "evals" | "prompts">,
  prompt: string,
): readonly WrittenEval[] {
  const own = Object.hasOwn(pack.prompts, prompt) ? (pack.prompts[prompt]?.evals ?? []) : [];
  const ownIds = new Set(own.map(({ id }) => id));
  return [...(pack.evals ?? []).filter(({ id }) => !ownIds.has(id)), ...own];
}

export function planWrittenEvals(
  written: readonly WrittenEval[],
  { isSampled }: Pick<PlanOptions, "isSampled">,
): EvalPlan {
  const read = written.map((one) => readEval(one, isSampled));
  return {
    evals: read.flatMap((one) => ("judge" in one ? one : [])),
    notRun: read.flatMap((one) => ("reason" in one ? one : [])),
  };
}

export function isInGroups(one: WrittenEval, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  return groupsOf(one).some((group) => wanted.includes(group));
}

/** Those without groups of their own are in groups by their type, as PromptKit has them. */
function groupsOf({ groups = [], type }: WrittenEval): readonly string[] {
  if (groups.length > 0) return groups;
  return MODEL_TYPES.has(type)
    ? [DEFAULT_GROUP, "long-running", "external"]
    : [DEFAULT_GROUP, "fast-running"];
}

const SCOPES: Readonly<Record<string, PlannedEval["scope"]>> = {
  every_turn: "turn",
  sample_turns: "turn",
  on_session_complete: "conversation",
  on_conversation_complete: "conversation",
  sample_sessions: "conversation",
};

function readEval(written: WrittenEval, isSampled: boolean): PlannedEval | EvalNotRun {
  const { id, type, trigger, message, when, sample_percentage: percentage } = written;
  const scope = Object.hasOwn(SCOPES, trigger) ? SCOPES[trigger] : undefined;
  if (scope === undefined) {
    const known = Object.keys(SCOPES).join(", ");
    const reason = `the trigger "${trigger}" is not known here; known are ${known}`;
    return { id, type, reason, isUnknown: true };
  }
  const condition = readCondition(when);
  if (!condition.ok) return { id, type, reason: condition.problem, isUnknown: true };
  const read = readRule(written);
  if ("reason" in read) return { id, type, ...read };
  return {
    id,
    type,
    scope,
    ...read,
    message,
    condition: condition.condition,
    samplePercentage:
      isSampled && trigger.startsWith("sample_")
        ? (percentage ?? DEFAULT_SAMPLE_PERCENTAGE)
        : undefined,
  };
}

interface WrittenRule {
  readonly type: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly threshold?: WrittenEval["threshold"];
}

type ReadRule =
  | Pick<PlannedEval, "judge" | "isEnough" | "threshold">
  | Pick<EvalNotRun, "reason" | "isUnknown">;

function readRule({ type, params = {}, threshold: written }: WrittenRule): ReadRule {
  const threshold = readThreshold(written, params);
  if (!threshold.ok) return { reason: threshold.problem, isUnknown: false };
  const { min_score: _, max_score: __, ...own } = params;
  // PromptKit writes an eval with a threshold as an eval within another.
  if (type === "assertion") {
    const { eval_type: inner, eval_params: innerParams = {} } = own;
    if (typeof inner !== "string" || !isObject(innerParams) || inner === type) {
      return { reason: "params needs eval_type, and eval_params", isUnknown: false };
    }
    const read = readJudge(inner, innerParams);
    return read.ok ? { ...threshold, judge: read.judge, threshold: threshold.text } : refused(read);
  }
  const read = readJudge(type, own);
  return read.ok
    ? { judge: read.judge, isEnough: threshold.isEnough, threshold: threshold.text }
    : refused(read);
}

function refused({
  problem,
  isUnknown = false,
}: {
  readonly problem: string;
  readonly isUnknown?: boolean;
}): Pick<EvalNotRun, "reason" | "isUnknown"> {
  return { reason: problem, isUnknown };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What one turn expects, as evals of this turn. `place` makes their ids. */
export function planExpectations(expectations: readonly Expectation[], place: string): EvalPlan {
  const read = expectations.map((written, index): PlannedEval | EvalNotRun => {
    const rule =
      typeof written === "string" ? { type: "contains", params: { patterns: [written] } } : written;
    const given = typeof written === "string" ? undefined : written;
    const number = expectations.length === 1 ? "" : ` ${index + 1}`;
    const id = given?.id ?? `expect${number}`;
    const one = readRule(rule);
    if ("reason" in one) {
      return { id, type: rule.type, ...one, reason: `${place}: ${one.reason}` };
    }
    return {
      id,
      type: rule.type,
      scope: "turn",
      ...one,
      message: given?.message,
      condition: () => true,
      samplePercentage: undefined,
    };
  });
  return {
    evals: read.flatMap((one) => ("judge" in one ? one : [])),
    notRun: read.flatMap((one) => ("reason" in one ? one : [])),
  };
}
