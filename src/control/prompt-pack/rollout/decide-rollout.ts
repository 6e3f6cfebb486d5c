/** The pure decision about a canary: whether it goes on to its next step, is promoted, is taken back, or stays as it is. */
import { firstChunkQuantile } from "../../../agent-config/first-chunk-buckets.ts";
import { formatDuration } from "../../../api/fields/duration.ts";
import type { CanaryCounts } from "../../../api/prompt-pack.ts";
import type { ObservedCanary } from "./replica-ledger.ts";
import { promotesAtOnce, type RolloutPlan } from "./rollout-plan.ts";

/** The step that a canary is in. */
export interface RolloutState {
  /** From 1. It may be past the last step, when steps were taken out of the spec. */
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface RolloutInput {
  readonly plan: RolloutPlan;
  /** `undefined` for a canary that has just come. */
  readonly state: RolloutState | undefined;
  /** `undefined` when nobody has been asked. */
  readonly observed: ObservedCanary | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface RolloutDecision {
  readonly action: "begin" | "stay" | "step" | "promote" | "abort";
  /** The step that is right from now on, from 1. */
  readonly step: number;
  /** What it waits for, or why it was taken back, for people. It names no time and no version. */
  readonly message: string;
}

const P95 = 0.95;
/** What a score of 1 counts for. */
const EVAL_POINTS = 1_000;

export function decideRollout({ plan, state, observed, now }: RolloutInput): RolloutDecision {
  const { steps } = plan;
  if (state === undefined) {
    return { action: "begin", step: 1, message: `${place(plan, 1)} begins` };
  }
  const step = Math.max(1, Math.min(state.step, steps.length));
  const durationMs = steps[step - 1]?.durationMs ?? 0;
  const here = place(plan, step);
  const stay = (what: string): RolloutDecision => ({
    action: "stay",
    step,
    message: `${here} ${what}`,
  });
  const fault = observed === undefined ? undefined : faultOf(plan, observed.counts);
  if (fault !== undefined) return { action: "abort", step, message: `${here}: ${fault}` };
  if (durationMs === Infinity) return stay("stays until its weight is changed");
  if (now - state.since < durationMs) return stay(`lasts ${formatDuration(durationMs)}`);
  if (observed === undefined || observed.counting === 0) {
    return stay("waits for replicas that tell what they counted of it: none does");
  }
  if (observed.silent > 0) {
    return stay(`waits for ${observed.silent} of the ready replicas, which do not answer`);
  }
  const { sessions } = observed.counts;
  if (sessions < plan.minSessions) {
    return stay(`waits for sessions: ${sessions} of ${plan.minSessions} have been seen`);
  }
  if (plan.evalScore !== undefined && observed.counts.evals === 0) {
    return stay("waits for evals, and none was run on its turns yet");
  }
  const next = steps[step];
  return next === undefined || promotesAtOnce(next)
    ? { action: "promote", step, message: `${here} was passed` }
    : { action: "step", step: step + 1, message: `${place(plan, step + 1)} begins` };
}

/** Why the counts condemn the canary. */
function faultOf(plan: RolloutPlan, counts: CanaryCounts): string | undefined {
  const { sessions, turns, errors, validationFailures, firstChunk, evals, evalPoints } = counts;
  if (sessions < plan.minSessions || turns === 0) return undefined;
  if (plan.errorRate !== undefined && errors / turns > plan.errorRate) {
    return `${errors} of ${turns} turns failed (${percent(errors / turns)}), and errorRate allows ${percent(plan.errorRate)}`;
  }
  if (
    plan.validationFailures !== undefined &&
    validationFailures / turns > plan.validationFailures
  ) {
    return `validators found fault with ${validationFailures} of ${turns} turns (${percent(validationFailures / turns)}), and validationFailures allows ${percent(plan.validationFailures)}`;
  }
  const score = evals === 0 ? undefined : evalPoints / EVAL_POINTS / evals;
  if (plan.evalScore !== undefined && score !== undefined && score < plan.evalScore) {
    return `${evals} evals of its turns had a mean score of ${Number(score.toFixed(3))}, and evalScore wants ${plan.evalScore}`;
  }
  const p95 = firstChunkQuantile(firstChunk, P95);
  if (plan.p95FirstChunkMs !== undefined && p95 !== undefined && p95 > plan.p95FirstChunkMs) {
    const time = p95 === Infinity ? "longer than can be counted" : formatDuration(p95);
    return `95 % of the turns had their first chunk within ${time}, and p95FirstChunk allows ${formatDuration(plan.p95FirstChunkMs)}`;
  }
  return undefined;
}

function place({ steps }: RolloutPlan, step: number): string {
  return `Step ${step} of ${steps.length} (weight ${steps[step - 1]?.weight ?? 100})`;
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(1))} %`;
}
