/**
 * The pure decision about a PromptPack: which versions run, which are kept, and its status.
 *
 * Every valid content of the source is a version. With the strategy `immediate` the newest version is active. With `canary` the
 * active version stays, and the newest one gets `weight` percent of the sessions. A canary ends in one of three ways:
 *  - The weight 100 promotes it. A version that no session sees any more needs no state of its own: the way back is the same as
 *    from any active version, which is to put the old content into the source again. `omnia packs rollback` does that.
 *  - The strategy `immediate` promotes it.
 *  - The source goes back to the active content, and there is no canary.
 * A canary of weight 0 stays, and gets no sessions.
 *
 * A source that is broken or gone changes no agent: the newest version that was valid takes its place.
 */
import type { PromptPack, PromptPackStatus } from "../../api/prompt-pack.ts";
import type { Finding } from "../condition.ts";
import type { AgentCounts } from "./agents-notified.ts";
import { sourceValid } from "./source-valid.ts";
import { type PackVersion, type RunningVersions, type UnreadVersion } from "./pack-version.ts";
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
}

export interface PromptPackInput extends PackFacts {
  /** Counts the agents that refer to the pack, and how many of them run these versions. It is called once. */
  agents: (versions: RunningVersions) => AgentCounts;
  /** Milliseconds since 1970. */
  now: number;
}

export interface PromptPackDecision extends VersionsDecision {
  status: PromptPackStatus;
}

/** Decides the versions and their status at once. `decideVersions` and `packStatus` do it in two steps. */
export function decidePromptPack({ agents, now, ...facts }: PromptPackInput): PromptPackDecision {
  const { promptPack, source } = facts;
  const decision = decideVersions(facts);
  const { versions, validity } = decision;
  const counts = agents(versions);
  return {
    ...decision,
    status: packStatus({ promptPack, source, versions, validity, agents: counts, now }),
  };
}

export function decideVersions({
  promptPack,
  source,
  previous,
  rolledBackTo,
  notKept,
}: PackFacts): VersionsDecision {
  const versions = chooseVersions(promptPack, rolledBackTo ?? candidateOf(source), previous);
  const lastActive = previousVersion(promptPack.status, versions.active?.hash);
  return {
    versions,
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
    return isKept(activeVersion) && activeVersion !== candidate.hash && isTrial(promptPack)
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

function isTrial({ spec }: PromptPack): boolean {
  const { strategy, canary } = spec.rollout;
  return strategy === "canary" && (canary?.weight ?? 0) < 100;
}

function chooseVersions(
  promptPack: PromptPack,
  candidate: PackVersion | undefined,
  previous: readonly (PackVersion | UnreadVersion)[],
): RunningVersions {
  const { spec, status } = promptPack;
  const read = previous.filter((version) => version.document !== undefined);
  const kept = (hash: string | undefined): PackVersion | undefined =>
    read.find((version) => version.hash === hash);
  const stable =
    candidate?.hash === status?.activeVersion ? candidate : kept(status?.activeVersion);
  const newest = candidate ?? kept(status?.canaryVersion) ?? stable ?? read[0];
  if (newest === undefined) return {};
  return isTrial(promptPack) && stable !== undefined && stable.hash !== newest.hash
    ? { active: stable, canary: { weight: spec.rollout.canary?.weight ?? 0, version: newest } }
    : { active: newest };
}
