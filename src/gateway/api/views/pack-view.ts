/** A PromptPack as the HTTP API shows it. */
import type { CallerView } from "../../../http-api/caller-view.ts";
import { firstChunkQuantile } from "../../../agent-config/first-chunk-buckets.ts";
import type { CanaryCounts } from "../../../api/prompt-pack.ts";
import type {
  PackDetail,
  PackVersionView,
  PackView,
  VersionCounts,
} from "../../../http-api/pack-views.ts";
import type { EventView } from "../../../http-api/resource-views.ts";
import type {
  KeptPackVersion,
  StoredAgentRuntime,
  StoredPromptPack,
} from "../../resource-source.ts";
import { packNameOf } from "./agent-view.ts";
import { conditionViews, explainView } from "./explain-view.ts";
import { manifestText } from "./manifest-text.ts";

export function packView(pack: StoredPromptPack, place: CallerView["mode"]): PackView {
  const { metadata, status } = pack;
  const { canaryVersion, canarySemver, canaryWeight, canaryCounts, activeCounts } = status;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    phase: status.phase ?? "Pending",
    activeVersion: status.activeVersion,
    activeSemver: status.activeSemver,
    canary:
      canaryVersion === undefined
        ? undefined
        : {
            version: canaryVersion,
            semver: canarySemver,
            weight: canaryWeight ?? 0,
            counts: canaryCounts === undefined ? undefined : versionCounts(canaryCounts),
            activeCounts: activeCounts === undefined ? undefined : versionCounts(activeCounts),
          },
    explain: explainView(pack, place),
    createdAt: metadata.creationTimestamp,
  };
}

export function packDetail(
  pack: StoredPromptPack,
  {
    versions,
    agents,
    events,
    place,
  }: {
    /** Newest first. */
    readonly versions: readonly KeptPackVersion[];
    /** The agents that refer to the pack, as far as the caller may see them. */
    readonly agents: readonly StoredAgentRuntime[];
    readonly events: readonly EventView[];
    readonly place: CallerView["mode"];
  },
): PackDetail {
  return {
    ...packView(pack, place),
    versions: versions.map((version) => versionView(version, pack, agents)),
    conditions: conditionViews(pack),
    events: [...events],
    manifest: manifestText(pack),
  };
}

/** The agents among these that refer to the pack. */
export function agentsOfPack(
  { metadata }: StoredPromptPack,
  agents: readonly StoredAgentRuntime[],
): StoredAgentRuntime[] {
  return agents.filter((agent) => {
    const pack = packNameOf(agent);
    return pack?.namespace === metadata.namespace && pack.name === metadata.name;
  });
}

function versionView(
  { hash, semver, keptAt }: KeptPackVersion,
  { status }: StoredPromptPack,
  agents: readonly StoredAgentRuntime[],
): PackVersionView {
  const isCanary = hash === status.canaryVersion;
  // An agent runs the version on trial beside the active one.
  const runs = isCanary ? status.activeVersion : hash;
  return {
    hash,
    version: semver,
    state: isCanary ? "canary" : hash === status.activeVersion ? "active" : "kept",
    keptAt: keptAt === undefined ? undefined : new Date(keptAt).toISOString(),
    agents: agents
      .filter((agent) => runs !== undefined && agent.status.promptPackVersion === runs)
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
      .toSorted(),
  };
}

function versionCounts({
  sessions,
  turns,
  errors,
  validationFailures,
  firstChunk,
}: CanaryCounts): VersionCounts {
  return {
    sessions,
    turns,
    failures: errors,
    validationFailures,
    p50FirstChunkMs: milliseconds(firstChunkQuantile(firstChunk, 0.5)),
    p95FirstChunkMs: milliseconds(firstChunkQuantile(firstChunk, 0.95)),
  };
}

/** JSON has no number for what is longer than the last bucket. */
function milliseconds(quantile: number | undefined): number | undefined {
  return quantile === undefined || !Number.isFinite(quantile) ? undefined : Math.round(quantile);
}
