import { parseDuration } from "../../../api/fields/duration.ts";
import { DEFAULT_MIN_SESSIONS, type PromptPack } from "../../../api/prompt-pack.ts";

export interface RolloutStep {
  /** Percentage of the new sessions. */
  readonly weight: number;
  /** `Infinity`: nothing follows by itself. */
  readonly durationMs: number;
}

/** When a canary goes on and when it is taken back, as its pack says. */
export interface RolloutPlan {
  /** At least one. */
  readonly steps: readonly RolloutStep[];
  readonly minSessions: number;
  /** Parts of all turns, from 0 to 1. */
  readonly errorRate?: number | undefined;
  readonly validationFailures?: number | undefined;
  readonly p95FirstChunkMs?: number | undefined;
  /** The least mean score of evals, from 0 to 1. */
  readonly evalScore?: number | undefined;
}

type Rollout = PromptPack["spec"]["rollout"];

/** `undefined` when a new version is not put on trial at all. */
export function trialWeights({ strategy, canary }: Rollout): RolloutStep[] | undefined {
  if (strategy !== "canary" || canary?.weight === 100) return undefined;
  const steps = canary?.steps?.map(({ weight, duration }) => ({
    weight,
    durationMs: duration === undefined ? 0 : parseDuration(duration),
  }));
  const first = steps?.[0];
  if (steps === undefined || first === undefined) {
    return [{ weight: canary?.weight ?? 0, durationMs: Infinity }];
  }
  return promotesAtOnce(first) ? undefined : steps;
}

/** `undefined` when nothing happens to a canary by itself. */
export function rolloutPlan(rollout: Rollout): RolloutPlan | undefined {
  const { canary } = rollout;
  const steps = trialWeights(rollout);
  if (steps === undefined || (canary?.steps === undefined && canary?.abortWhen === undefined)) {
    return undefined;
  }
  const { minSessions, errorRate, validationFailures, p95FirstChunk, evalScore } =
    canary.abortWhen ?? {};
  return {
    steps,
    minSessions: minSessions ?? DEFAULT_MIN_SESSIONS,
    errorRate,
    validationFailures,
    evalScore,
    p95FirstChunkMs: p95FirstChunk === undefined ? undefined : parseDuration(p95FirstChunk),
  };
}

/** Whether the step is the promotion itself. */
export function promotesAtOnce({ weight, durationMs }: RolloutStep): boolean {
  return weight === 100 && durationMs === 0;
}
