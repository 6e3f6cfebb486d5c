/**
 * The versions of packs that the operator keeps, read when somebody asks for them: each is a ConfigMap `<pack>-<hash>` that belongs to
 * its pack. What a ConfigMap holds is believed only when its content has the hash of its name.
 */
import { DEFAULT_PACK_KEY } from "../../api/group.ts";
import { BoundedMemory } from "../../control/bounded-memory.ts";
import { readVersion, type PackVersion } from "../../control/prompt-pack/pack-version.ts";
import { INSTANCE_LABEL } from "../../control/agent-runtime/agent-selector.ts";
import type { KeptPackVersion } from "../../gateway/resource-source.ts";
import { isNotFound } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { isOwnedBy, type KubernetesObject } from "../../kube/client/object.ts";
import {
  CONFIG_MAPS,
  type ConfigMapObject,
  type StoredPromptPack,
} from "../../operator/cluster/kubernetes-objects.ts";
import { PACK_VERSION_LABEL_SELECTOR, promptPackLabels } from "../../operator/cluster/labels.ts";
import type { PackParser } from "../../operator/prompt-pack/pack-parser.ts";
import { byAge, versionOf } from "../../operator/prompt-pack/version-config-maps.ts";
import type { Clock } from "../../time/clock.ts";
import { ExpiringAnswers } from "../../time/expiring-answers.ts";

/** More than the operator keeps. */
const MAX_VERSIONS = 20;
/** ConfigMaps that are looked at, to find those that belong to the pack. */
const MAX_LISTED = 100;
/** A document may have a megabyte, and takes a few in memory. */
const MAX_DOCUMENTS = 8;
const DOCUMENT_AGE_MS = 10_000;
const MAX_SEMVERS = 10_000;

export class KeptPacks {
  readonly #client: KubeClient;
  readonly #parser: PackParser;
  readonly #documents: ExpiringAnswers<PackVersion | undefined>;
  /** What a content calls itself never changes. The oldest one is forgotten first. */
  readonly #semvers = new BoundedMemory<string>(MAX_SEMVERS);

  constructor({ client, parser, clock }: { client: KubeClient; parser: PackParser; clock: Clock }) {
    this.#client = client;
    this.#parser = parser;
    this.#documents = new ExpiringAnswers({ clock, ageMs: DOCUMENT_AGE_MS, max: MAX_DOCUMENTS });
  }

  /** The newest first. */
  async versions(pack: StoredPromptPack, signal: AbortSignal): Promise<KeptPackVersion[]> {
    const { namespace, name, uid } = pack.metadata;
    const { items } = await this.#client.list<KubernetesObject>(CONFIG_MAPS, {
      namespace,
      labelSelector: `${PACK_VERSION_LABEL_SELECTOR},${INSTANCE_LABEL}=${promptPackLabels(name)[INSTANCE_LABEL]}`,
      metadataOnly: true,
      limit: MAX_LISTED,
      signal,
    });
    const kept = items
      .filter((object) => isOwnedBy(object, uid) && versionOf(object)?.pack === name)
      .toSorted(byAge)
      .slice(0, MAX_VERSIONS);
    const versions: KeptPackVersion[] = [];
    for (const object of kept) {
      const hash = versionOf(object)?.hash ?? "";
      const semver = this.#semvers.get(hash) ?? (await this.read(pack, hash, signal))?.semver;
      if (semver === undefined) continue;
      versions.push({ hash, semver, keptAt: Date.parse(object.metadata.creationTimestamp ?? "") });
    }
    return versions;
  }

  /** Resolves to `undefined` when no such version is kept. */
  async read(
    pack: StoredPromptPack,
    hash: string,
    signal: AbortSignal,
  ): Promise<PackVersion | undefined> {
    const { namespace, name, uid } = pack.metadata;
    const key = `${uid} ${namespace}/${name} ${hash}`;
    const version = await this.#documents.get(key, signal, async (asking) => {
      const at = { namespace, name: `${name}-${hash}` };
      const there = await this.#find(at, asking);
      const content = there?.data?.[DEFAULT_PACK_KEY];
      if (there === undefined || content === undefined || !isOwnedBy(there, uid)) return undefined;
      const read = readVersion(hash, content, await this.#parser.parse(content, asking));
      return read && { hash, semver: read.semver, document: read.document };
    });
    if (version !== undefined) this.#semvers.set(version.hash, version.semver);
    return version;
  }

  async #find(
    at: { namespace?: string | undefined; name: string },
    signal: AbortSignal,
  ): Promise<ConfigMapObject | undefined> {
    try {
      return await this.#client.get<ConfigMapObject>(CONFIG_MAPS, at, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
