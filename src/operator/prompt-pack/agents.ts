/** Which agents a PromptPack is for, and how far its versions have come. Looked at for every agent: no config is parsed. */
import { keyOf, type KubernetesObject } from "../../kube/client/object.ts";
import { PACK_VERSIONS_ANNOTATION } from "../cluster/labels.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import { promptPackOf } from "../cluster/references-of.ts";

type Caches = Pick<OperatorCaches, "agentRuntimes" | "agentConfigs">;

const CONFIG_SUFFIX = "-config";

/** The text of the versions that each agent of a pack has been given; `undefined` for one that has no config of its own yet. */
export function versionsOfAgents(caches: Caches, pack: string): (string | undefined)[] {
  return caches.agentRuntimes.indexed("promptPack", pack).map(({ metadata }) => {
    const config = caches.agentConfigs.get(keyOf(metadata) + CONFIG_SUFFIX);
    const isOwn = config?.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid);
    return isOwn === true ? packVersionsOf(config) : undefined;
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
    const agent = caches.agentRuntimes.get(keyOf(config.metadata).slice(0, -CONFIG_SUFFIX.length));
    const pack = agent && promptPackOf(agent);
    if (pack !== undefined) onChange(pack);
  });
}

function packVersionsOf(config: KubernetesObject | undefined): string | undefined {
  return config?.metadata.annotations?.[PACK_VERSIONS_ANNOTATION];
}
