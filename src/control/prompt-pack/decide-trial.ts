/** Carries the decision about a canary over to the versions and the status of its pack, and to what people are told. */
import type { PromptPack, PromptPackStatus } from "../../api/prompt-pack.ts";
import type { PackVersion, RunningVersions } from "./pack-version.ts";
import { NO_COUNTS } from "./rollout/canary-counts.ts";
import { decideRollout, type RolloutDecision } from "./rollout/decide-rollout.ts";
import type { ObservedCanary } from "./rollout/replica-ledger.ts";
import type { EndedCounts, ObservedTrial } from "./rollout/trial-ledger.ts";
import { rolloutPlan } from "./rollout/rollout-plan.ts";

/** The part of the status in which a trial is remembered, so that it goes on after a restart of whoever decides. */
export type RolloutStatus = Pick<
  PromptPackStatus,
  | "canaryStep"
  | "canaryStepSince"
  | "canaryCounts"
  | "canaryEndedCounts"
  | "activeCounts"
  | "activeEndedCounts"
  | "canaryMessage"
  | "abortedVersion"
  | "abortedSemver"
  | "abortedReason"
>;

/** What happened to a canary, for an event or a line of a log. */
export interface RolloutNews {
  readonly type: "Normal" | "Warning";
  readonly reason: "CanaryStep" | "CanaryPromoted" | "CanaryAborted";
  readonly message: string;
}

export interface TrialInput {
  /** Its `status` is the one that was written last. */
  readonly promptPack: PromptPack;
  readonly decision: { readonly versions: RunningVersions; readonly staysAborted: boolean };
  /** What was counted in the step that the status names. */
  readonly observed: ObservedTrial | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface TrialDecision {
  readonly versions: RunningVersions;
  readonly rollout: RolloutStatus;
  readonly news: RolloutNews | undefined;
}

export function decideTrial({ promptPack, decision, observed, now }: TrialInput): TrialDecision {
  const { versions, staysAborted } = decision;
  const { status = {} } = promptPack;
  const { active, canary } = versions;
  const plan = rolloutPlan(promptPack.spec.rollout);
  if (canary === undefined || plan === undefined) {
    return { versions, rollout: staysAborted ? abortedOf(status) : {}, news: undefined };
  }
  const { version, trial } = canary;
  const since = trial === undefined ? NaN : Date.parse(trial);
  const state = Number.isNaN(since) ? undefined : { step: status.canaryStep ?? 1, since };
  const rollout = decideRollout({ plan, state, observed, now });
  const { action, message, step } = rollout;
  switch (action) {
    case "promote":
      return { versions: { active: version }, rollout: {}, news: newsOf(rollout, version) };
    case "abort":
      return {
        versions: { active },
        rollout: {
          abortedVersion: version.hash,
          abortedSemver: version.semver,
          abortedReason: message,
        },
        news: newsOf(rollout, version),
      };
    case "begin":
    case "step": {
      const beginning = new Date(now).toISOString();
      const weight = plan.steps[step - 1]?.weight ?? canary.weight;
      return {
        versions: { active, canary: { weight, version, trial: beginning } },
        rollout: {
          canaryStep: step,
          canaryStepSince: beginning,
          canaryCounts: NO_COUNTS,
          canaryMessage: message,
        },
        news: newsOf(rollout, version),
      };
    }
    case "stay":
      return {
        versions,
        rollout: {
          canaryStep: step,
          canaryStepSince: trial,
          canaryCounts: observed?.counts ?? status.canaryCounts,
          canaryEndedCounts: endedOf(observed) ?? status.canaryEndedCounts,
          activeCounts: observed?.active?.counts ?? status.activeCounts,
          activeEndedCounts: endedOf(observed?.active) ?? status.activeEndedCounts,
          canaryMessage: message,
        },
        news: undefined,
      };
  }
}

/** What the status remembers of processes that have ended. */
export function endedCountsOf(status: PromptPackStatus | undefined): EndedCounts {
  return {
    canary: status?.canaryEndedCounts ?? NO_COUNTS,
    active: status?.activeEndedCounts ?? NO_COUNTS,
  };
}

function endedOf(
  observed: Pick<ObservedCanary, "ended"> | undefined,
): ObservedCanary["ended"] | undefined {
  const ended = observed?.ended;
  return ended !== undefined && (ended.turns > 0 || ended.sessions > 0) ? ended : undefined;
}

function abortedOf({
  abortedVersion,
  abortedSemver,
  abortedReason,
}: PromptPackStatus): RolloutStatus {
  return { abortedVersion, abortedSemver, abortedReason };
}

function newsOf(
  { action, message }: RolloutDecision,
  { semver, hash }: PackVersion,
): RolloutNews | undefined {
  const version = `Version ${semver} (${hash})`;
  switch (action) {
    case "promote":
      return {
        type: "Normal",
        reason: "CanaryPromoted",
        message: `${version} is promoted: ${message}`,
      };
    case "abort":
      return {
        type: "Warning",
        reason: "CanaryAborted",
        message: `${version} is taken back. ${message}`,
      };
    case "begin":
    case "step":
      return {
        type: "Normal",
        reason: "CanaryStep",
        message: `${version} is on trial: ${message}`,
      };
    case "stay":
      return undefined;
  }
}
