/**
 * The pure decision about a PromptPack: which versions run, which are kept, and its status.
 *
 * Every valid content of the source is a version. With the strategy `immediate` the newest version is active. With `canary` the
 * active version stays, and the newest one gets `weight` percent of the sessions, or what its step says. A canary ends in one of
 * five ways:
 *  - The weight 100 promotes it. A version that no session sees any more needs no state of its own: the way back is the same as
 *    from any active version, which is to put the old content into the source again. `omnia packs rollback` does that.
 *  - The strategy `immediate` promotes it.
 *  - The source goes back to the active content, and there is no canary.
 *  - It passes its last step, and is promoted. `decideTrial` finds that.
 *  - It is taken back because of what agents counted. Its content is not tried again until the source has other content.
 * A canary of weight 0 stays, and gets no sessions.
 *
 * A source that is broken or gone changes no agent: the newest version that was valid takes its place.
 */
import type { PromptPack, PromptPackStatus } from "../../api/prompt-pack.ts";
import type { Finding } from "../condition.ts";
import type { AgentCounts } from "./agents-notified.ts";
import { sourceValid } from "./source-valid.ts";
import type { CanaryVersion, PackVersion, RunningVersions, UnreadVersion } from "./pack-version.ts";
import { rolloutPlan, type RolloutStep, trialWeights } from "./rollout/rollout-plan.ts";
import type { EndedCounts, ObservedTrial } from "./rollout/trial-ledger.ts";
import { decideTrial, endedCountsOf, type RolloutNews } from "./decide-trial.ts";
import type { PackSource } from "./pack-source.ts";
import { packStatus } from "./pack-status.ts";
import { previousVersion } from "./previous-version.ts";
import { hashesToKeep } from "./version-retention.ts";

/** What the versions are decided from. The agents are no part of it: they come and go without another decision. */
export interface PackFacts {
  /** Its `status` is the one that was written last. */
  promptPack: PromptPack;
  source: PackSource;
  /**
   * The versions that were kept before, newest first. The versions that `versionsToRead` names have to be read; one that is not
   * is not chosen.
   */
  previous: readonly (PackVersion | UnreadVersion)[];
  /** A version that runs in place of the content of the source, because somebody went back to it without changing the source. */
  rolledBackTo?: PackVersion | undefined;
  /** Why the newest version cannot be kept, as a sentence for people. */
  notKept?: string | undefined;
}

export interface VersionsDecision {
  versions: RunningVersions;
  /** The hashes of the versions to keep, newest first. All other versions may be deleted. */
  keep: string[];
  validity: Finding<"PromptPack", "SourceValid">;
  /** Whether the version that the status names as taken back stays so. */
  staysAborted: boolean;
}

export interface PromptPackInput extends PackFacts {
  /** Counts the agents that refer to the pack, and how many of them run these versions. It is called once. */
  agents: (versions: RunningVersions) => AgentCounts;
  /** Tells what the agents counted of a canary with steps. It is called once at most. */
  observe?: ((trial: string, ended: EndedCounts) => ObservedTrial | undefined) | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

export interface PromptPackDecision extends VersionsDecision {
  status: PromptPackStatus;
  news: RolloutNews | undefined;
}

/** Decides the versions, the fate of the canary, and their status at once. The operator does it in steps. */
export function decidePromptPack({
  agents,
  observe,
  now,
  ...facts
}: PromptPackInput): PromptPackDecision {
  const { promptPack, source } = facts;
  const decision = decideVersions(facts);
  const { trial } = decision.versions.canary ?? {};
  const ended = endedCountsOf(promptPack.status);
  const observed = trial === undefined ? undefined : observe?.(trial, ended);
  const { versions, rollout, news } = decideTrial({ promptPack, decision, observed, now });
  const { validity } = decision;
  const counts = agents(versions);
  return {
    ...decision,
    versions,
    news,
    status: packStatus({ promptPack, source, versions, validity, rollout, agents: counts, now }),
  };
}

export function decideVersions({
  promptPack,
  source,
  previous,
  rolledBackTo,
  notKept,
}: PackFacts): VersionsDecision {
  const candidate = rolledBackTo ?? candidateOf(source);
  const versions = chooseVersions(promptPack, candidate, previous);
  const lastActive = previousVersion(promptPack.status, versions.active?.hash);
  return {
    versions,
    staysAborted: isAborted(promptPack, candidate?.hash) && trialOf(promptPack) !== undefined,
    keep: hashesToKeep(versions, previous, lastActive),
    validity: sourceValid({ promptPack, source, versions, rolledBackTo, notKept }),
  };
}

/**
 * The hashes of the versions that `decideVersions` may choose, besides the content of the source. A pack that runs nothing
 * but its source needs none of them.
 */
export function versionsToRead({
  promptPack,
  source,
  previous,
}: Omit<PackFacts, "notKept" | "rolledBackTo">): string[] {
  const candidate = candidateOf(source);
  const { activeVersion, canaryVersion } = promptPack.status ?? {};
  const isKept = (hash: string | undefined): hash is string =>
    hash !== undefined && previous.some((version) => version.hash === hash);
  if (candidate !== undefined) {
    return isKept(activeVersion) &&
      activeVersion !== candidate.hash &&
      trialOf(promptPack) !== undefined
      ? [activeVersion]
      : [];
  }
  const named = [activeVersion, canaryVersion].filter(isKept);
  return named.length > 0 ? named : previous.slice(0, 1).map(({ hash }) => hash);
}

function candidateOf(source: PackSource): PackVersion | undefined {
  if (!source.found || source.parsed?.ok !== true) return undefined;
  const { hash, pack } = source.parsed;
  return { hash, semver: pack.version, document: pack };
}

function trialOf({ spec }: PromptPack): RolloutStep[] | undefined {
  return trialWeights(spec.rollout);
}

/** `hash` is that of the content in the source; while that cannot be read, nothing is known to have changed. */
function isAborted({ status }: PromptPack, hash: string | undefined): boolean {
  const { abortedVersion } = status ?? {};
  return abortedVersion !== undefined && (hash ?? abortedVersion) === abortedVersion;
}

function chooseVersions(
  promptPack: PromptPack,
  candidate: PackVersion | undefined,
  previous: readonly (PackVersion | UnreadVersion)[],
): RunningVersions {
  const { status } = promptPack;
  const read = previous.filter((version) => version.document !== undefined);
  const kept = (hash: string | undefined): PackVersion | undefined =>
    read.find((version) => version.hash === hash);
  const stable =
    candidate?.hash === status?.activeVersion ? candidate : kept(status?.activeVersion);
  const newest = candidate ?? kept(status?.canaryVersion) ?? stable ?? read[0];
  if (newest === undefined) return {};
  const steps = trialOf(promptPack);
  if (steps === undefined || stable === undefined || stable.hash === newest.hash) {
    return { active: newest };
  }
  if (isAborted(promptPack, newest.hash)) return { active: stable };
  return { active: stable, canary: canaryOf(promptPack, steps, newest) };
}

/** The canary in the step that the status names. One that the status does not name yet is in its first step. */
function canaryOf(
  { spec, status = {} }: PromptPack,
  steps: readonly RolloutStep[],
  version: PackVersion,
): CanaryVersion {
  const isKnown = status.canaryVersion === version.hash;
  const step = isKnown ? (status.canaryStep ?? 1) : 1;
  const { weight } = steps[Math.min(step, steps.length) - 1] ?? { weight: 0 };
  const isCounted = isKnown && rolloutPlan(spec.rollout) !== undefined;
  return { weight, version, trial: isCounted ? status.canaryStepSince : undefined };
}
