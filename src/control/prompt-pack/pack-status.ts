import type { PromptPack, PromptPackStatus } from "../../api/prompt-pack.ts";
import { type Finding, holds, toConditions } from "../condition.ts";
import { withoutUndefined } from "../without-undefined.ts";
import { type AgentCounts, agentsNotified } from "./agents-notified.ts";
import type { PackSource } from "./pack-source.ts";
import type { RolloutStatus } from "./decide-trial.ts";
import type { RunningVersions } from "./pack-version.ts";
import { previousVersion } from "./previous-version.ts";

export interface PackStatusInput {
  /** Its `status` is the one that was written last. */
  promptPack: PromptPack;
  source: PackSource;
  versions: RunningVersions;
  validity: Finding<"PromptPack", "SourceValid">;
  /** Where the canary stands. */
  rollout: RolloutStatus;
  agents: AgentCounts;
  /** Milliseconds since 1970. */
  now: number;
}

/** Writes what was decided about a PromptPack, and how many agents have it, as its status. */
export function packStatus(input: PackStatusInput): PromptPackStatus {
  const { promptPack, source, versions, validity, rollout, agents, now } = input;
  const generation = promptPack.metadata.generation ?? 1;
  const isValid = holds("PromptPack", validity);
  return withoutUndefined<PromptPackStatus>({
    phase: phaseOf(versions, isValid || !source.found),
    activeVersion: versions.active?.hash,
    activeSemver: versions.active?.semver,
    previousVersion: previousVersion(promptPack.status, versions.active?.hash),
    canaryVersion: versions.canary?.version.hash,
    canarySemver: versions.canary?.version.semver,
    canaryWeight: versions.canary?.weight,
    ...rollout,
    observedGeneration: generation,
    conditions: toConditions<"PromptPack">("PromptPack", [validity, agentsNotified(agents)], {
      previous: promptPack.status?.conditions,
      generation,
      now,
    }),
  });
}

/** A pack without a version is Pending while its source may still come, and Failed when its source is wrong. */
function phaseOf(
  { active, canary }: RunningVersions,
  mayStillCome: boolean,
): PromptPackStatus["phase"] {
  if (canary !== undefined) return "Canary";
  if (active !== undefined) return "Active";
  return mayStillCome ? "Pending" : "Failed";
}
