/** Which agents a PromptPack is for, and how far its versions have come. Looked at for every agent: no config is parsed. */
import { isOwnedBy, keyOf, type KubernetesObject } from "../../kube/client/object.ts";
import { agentOfConfigMap, configMapName, PACK_VERSIONS_ANNOTATION } from "../cluster/labels.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import { promptPackOf } from "../cluster/references-of.ts";

type Caches = Pick<OperatorCaches, "agentRuntimes" | "agentConfigs">;

/** The text of the versions that each agent of a pack has been given; `undefined` for one that has no config of its own yet. */
export function versionsOfAgents(caches: Caches, pack: string): (string | undefined)[] {
  return caches.agentRuntimes.indexed("promptPack", pack).map(({ metadata }) => {
    const config = caches.agentConfigs.get(configMapName(keyOf(metadata)));
    return config !== undefined && isOwnedBy(config, metadata.uid)
      ? packVersionsOf(config)
      : undefined;
  });
}

/** Calls back with the key of a pack when its count may be another. */
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
