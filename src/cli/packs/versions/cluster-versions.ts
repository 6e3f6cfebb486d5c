import { DEFAULT_PACK_KEY } from "../../../api/group.ts";
import type { KubeClient } from "../../../kube/client/client.ts";
import { isOwnedBy } from "../../../kube/client/object.ts";
import { CONFIG_MAPS, type ConfigMapObject } from "../../../operator/cluster/kubernetes-objects.ts";
import { PACK_VERSION_LABEL_SELECTOR } from "../../../operator/cluster/labels.ts";
import { byAge, versionOf } from "../../../operator/prompt-pack/version-config-maps.ts";
import { splitPackText } from "../../../promptpack/check/pack-text.ts";
import { readPackSource } from "../../../promptpack/check/read-pack-source.ts";
import { askCluster, type ClusterChoice } from "../../resources/read-cluster.ts";
import type { ResourceView } from "../../resources/view.ts";
import type { KeptPack, KeptVersion } from "./kept-pack.ts";

/** A page of versions of the largest size stays well below the limit of an answer. */
const PAGE_SIZE = 25;

/** Reads the ConfigMaps in which the operator keeps the versions. */
export async function readClusterVersions(
  choice: ClusterChoice,
  resources: readonly ResourceView[],
): Promise<KeptPack[]> {
  const namespaces = new Set(resources.map(({ metadata }) => metadata.namespace));
  const [namespace] = namespaces;
  const configMaps = await askCluster(choice, (client, signal) =>
    listVersions(client, namespaces.size === 1 ? namespace : undefined, signal),
  );
  return resources.map((resource) => {
    const { name, uid } = resource.metadata;
    const own = configMaps
      .filter((one) => isOwnedBy(one, String(uid)) && versionOf(one)?.pack === name)
      .toSorted(byAge);
    return { resource, versions: own.flatMap(toVersion), isRolledBack: false };
  });
}

async function listVersions(
  client: KubeClient,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<ConfigMapObject[]> {
  const found: ConfigMapObject[] = [];
  let next: string | undefined;
  do {
    const page = await client.list<ConfigMapObject>(CONFIG_MAPS, {
      namespace,
      labelSelector: PACK_VERSION_LABEL_SELECTOR,
      limit: PAGE_SIZE,
      continue: next,
      signal,
    });
    found.push(...page.items);
    next = page.continue;
  } while (next !== undefined);
  return found;
}

function toVersion(configMap: ConfigMapObject): KeptVersion[] {
  const hash = versionOf(configMap)?.hash;
  const content = configMap.data?.[DEFAULT_PACK_KEY];
  if (hash === undefined || content === undefined) return [];
  const keptAt = Date.parse(configMap.metadata.creationTimestamp ?? "");
  return [{ hash, semver: semverIn(content), content, keptAt: Number.isNaN(keptAt) ? 0 : keptAt }];
}

/** Whether the content is what its name says is checked where the content is used. */
function semverIn(content: string): string {
  const read = readPackSource(splitPackText(content).text);
  const { version } = (read.ok ? read.value : {}) as { version?: unknown };
  return typeof version === "string" ? version : "-";
}
