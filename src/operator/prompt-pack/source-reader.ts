import { type PackSource, packContent, packSource } from "../../control/prompt-pack/pack-source.ts";
import type { PromptPack } from "../../api/prompt-pack.ts";
import { isNotFound } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import type { PackParser } from "./pack-parser.ts";
import { CONFIG_MAPS, type ConfigMapObject } from "../cluster/kubernetes-objects.ts";

/** The source of a pack as it was read last. */
export interface SourceReading {
  readonly source: PackSource;
  /** The text of a version that is not kept yet. Otherwise it is dropped, because what was parsed is enough. */
  readonly content: string | undefined;
  /** The name and the key of what was read. */
  readonly from: string;
  /** The versions of the ConfigMap for which the reading is valid. */
  readonly resourceVersions: readonly (string | undefined)[];
}

/**
 * Reads the ConfigMap that the metadata belong to, unless `before` is a reading of the same. Rejects when it could not be read. A
 * ConfigMap that does not exist is no failure.
 */
export async function readSource(
  { client, parser }: { readonly client: KubeClient; readonly parser: PackParser },
  pack: PromptPack,
  there: KubernetesObject | undefined,
  before: SourceReading | undefined,
  signal: AbortSignal,
): Promise<SourceReading> {
  const { name, key } = pack.spec.source.configMapRef;
  const from = `${name}/${key}`;
  const resourceVersion = there?.metadata.resourceVersion;
  if (before?.from === from && before.resourceVersions.includes(resourceVersion)) return before;
  const absent = { source: { found: false }, content: undefined, from } as const;
  if (there === undefined) return { ...absent, resourceVersions: [undefined] };
  try {
    const { namespace } = pack.metadata;
    const read = await client.get<ConfigMapObject>(CONFIG_MAPS, { namespace, name }, signal);
    const data = read.data ?? {};
    const content = packContent(pack, data);
    const parsed = content === undefined ? undefined : await parser.parse(content, signal);
    return {
      source: packSource(pack, data, parsed),
      content,
      from,
      // What was read may be newer than what the cache shows.
      resourceVersions: [resourceVersion, read.metadata.resourceVersion],
    };
  } catch (error) {
    if (isNotFound(error)) return { ...absent, resourceVersions: [resourceVersion] };
    throw error;
  }
}
