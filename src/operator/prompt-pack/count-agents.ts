/** Finds which agents a PromptPack is for, and which versions they have. It is done for every agent, so no config is parsed. */
import type { PromptPack } from "../../api/prompt-pack.ts";
import { namespaceFacts } from "../../control/namespace-grant.ts";
import type { AgentCounts } from "../../control/prompt-pack/agents-notified.ts";
import type { RunningVersions } from "../../control/prompt-pack/pack-version.ts";
import { countReferringAgents } from "../../control/prompt-pack/versions-text.ts";
import type { TrustPolicy } from "../../control/trust-policy.ts";
import { isOwnedBy, keyOf, type KubernetesObject } from "../../kube/client/object.ts";
import { agentOfConfigMap, configMapName, PACK_VERSIONS_ANNOTATION } from "../cluster/labels.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import { promptPackOf } from "../cluster/references-of.ts";

type Caches = Pick<OperatorCaches, "agentRuntimes" | "agentConfigs" | "namespaces">;

export function countAgentsOf(
  caches: Caches,
  { crossNamespaceReferences }: TrustPolicy,
  promptPack: PromptPack,
  versions: RunningVersions,
): AgentCounts {
  const agents = caches.agentRuntimes.indexed("promptPack", keyOf(promptPack.metadata));
  const referring = agents.map(({ metadata }) => {
    const { namespace = "" } = metadata;
    const labels = caches.namespaces.get(namespace)?.metadata.labels;
    return { from: namespaceFacts(namespace, labels), running: versionsOfAgent(caches, metadata) };
  });
  return countReferringAgents(promptPack, referring, crossNamespaceReferences, versions);
}

/** The text of the versions that an agent was given. It is `undefined` when the agent has no config of its own yet. */
function versionsOfAgent(
  caches: Caches,
  metadata: KubernetesObject["metadata"],
): string | undefined {
  const config = caches.agentConfigs.get(configMapName(keyOf(metadata)));
  return config !== undefined && isOwnedBy(config, metadata.uid)
    ? packVersionsOf(config)
    : undefined;
}

/** Calls back with the key of a pack when the count of its agents may have changed. */
export function watchAgents(caches: Caches, onChange: (pack: string) => void): void {
  caches.agentRuntimes.subscribe(({ before, after }) => {
    const packs = [before, after].map((agent) => agent && promptPackOf(agent));
    if (packs[0] === packs[1]) return;
    for (const pack of packs) if (pack !== undefined) onChange(pack);
  });
  caches.agentConfigs.subscribe(({ before, after }) => {
    const config = after ?? before;
    if (config === undefined || packVersionsOf(before) === packVersionsOf(after)) return;
    const key = agentOfConfigMap(keyOf(config.metadata));
    const agent = key === undefined ? undefined : caches.agentRuntimes.get(key);
    const pack = agent && promptPackOf(agent);
    if (pack !== undefined) onChange(pack);
  });
}

function packVersionsOf(config: KubernetesObject | undefined): string | undefined {
  return config?.metadata.annotations?.[PACK_VERSIONS_ANNOTATION];
}
