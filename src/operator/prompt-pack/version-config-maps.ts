/** Keeps the accepted versions of PromptPacks. Each is an immutable ConfigMap `<pack>-<hash>` that belongs to its pack. */
import { API_VERSION, DEFAULT_PACK_KEY, GROUP, PROMPT_PACK } from "../../api/group.ts";
import { readVersion, type WrittenVersion } from "../../control/prompt-pack/pack-version.ts";
import {
  type ApiError,
  isConflict,
  isGoneOrReplaced,
  isNamespaceTerminating,
  isNotFound,
  isRefusal,
} from "../../kube/client/api-error.ts";
import { isOwnedBy, keyOf, type KubernetesObject } from "../../kube/client/object.ts";
import {
  CONFIG_MAPS,
  type ConfigMapObject,
  type StoredPromptPack,
} from "../cluster/kubernetes-objects.ts";
import { promptPackLabels } from "../cluster/labels.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import type { PackParser } from "./pack-parser.ts";

const NAME_OF_VERSION = /^(.+)-([0-9a-f]{12})$/;

/** `leftover`: it belonged to a deleted pack of the same name, and will be deleted without our doing. */
export type OtherHolder = "nobody" | "leftover" | "stranger";

export type KeepResult =
  /** Also true when there is nothing left to keep the version for. */
  | { readonly kept: true }
  /** `later`: the cache does not show yet what exists. */
  | { readonly kept: false; readonly later: true }
  | { readonly kept: false; readonly later: false; readonly error: ApiError };

export class VersionConfigMaps {
  readonly #context: Pick<OperatorContext, "client" | "caches">;
  readonly #parser: PackParser;
  /** The keys of the ConfigMaps that were created or deleted here, until the cache shows it. */
  readonly #unseen = new Set<string>();

  constructor(context: Pick<OperatorContext, "client" | "caches">, parser: PackParser) {
    this.#context = context;
    this.#parser = parser;
    context.caches.configMaps.subscribe(({ before, after }) => {
      const metadata = (after ?? before)?.metadata;
      if (metadata !== undefined) this.#unseen.delete(keyOf(metadata));
    });
  }

  /** The ConfigMaps of the versions, newest first. */
  of({ metadata }: StoredPromptPack): KubernetesObject[] {
    const { uid = "", name } = metadata;
    return this.#context.caches.configMaps
      .indexed("owner", uid)
      .filter((owned) => versionOf(owned)?.pack === name)
      .toSorted(byAge);
  }

  /** Says who else has the name under which the version is to be kept. */
  otherHolder(pack: StoredPromptPack, hash: string): OtherHolder {
    const there = this.#context.caches.configMaps.get(keyOf(placeOf(pack, hash)));
    if (there === undefined || isOwnedBy(there, pack.metadata.uid)) return "nobody";
    const isOfNamesake = there.metadata.ownerReferences?.some(
      ({ kind, name }) => kind === PROMPT_PACK && name === pack.metadata.name,
    );
    return isOfNamesake === true ? "leftover" : "stranger";
  }

  /** Resolves to `undefined` when the ConfigMap does not exist, or does not hold what its name says. */
  async read(
    pack: StoredPromptPack,
    hash: string,
    signal: AbortSignal,
  ): Promise<WrittenVersion | undefined> {
    const { client } = this.#context;
    let there: ConfigMapObject;
    try {
      there = await client.get<ConfigMapObject>(CONFIG_MAPS, placeOf(pack, hash), signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    const content = there.data?.[DEFAULT_PACK_KEY];
    if (content === undefined || !isOwnedBy(there, pack.metadata.uid)) return undefined;
    return readVersion(hash, content, await this.#parser.parse(content, signal));
  }

  async keep(
    pack: StoredPromptPack,
    hash: string,
    content: string,
    signal: AbortSignal,
  ): Promise<KeepResult> {
    const place = placeOf(pack, hash);
    const key = keyOf(place);
    if (this.#unseen.has(key)) return { kept: true };
    this.#unseen.add(key);
    try {
      await this.#context.client.createUnread(
        CONFIG_MAPS,
        toConfigMap(pack, place, content),
        signal,
      );
      return { kept: true };
    } catch (error) {
      this.#unseen.delete(key);
      if (isConflict(error)) return { kept: false, later: true };
      // The pack is deleted together with its namespace, so there is nothing to keep the version for.
      if (isNamespaceTerminating(error)) return { kept: true };
      if (isRefusal(error) && !isNotFound(error)) return { kept: false, later: false, error };
      throw error;
    }
  }

  /** Deletes the ConfigMaps of all versions that are not among the hashes. */
  async prune(pack: StoredPromptPack, keep: readonly string[], signal: AbortSignal): Promise<void> {
    for (const { metadata } of this.of(pack)) {
      const { namespace, name, uid } = metadata;
      const key = keyOf(metadata);
      const hash = versionOf({ metadata })?.hash;
      if (hash === undefined || keep.includes(hash) || this.#unseen.has(key)) continue;
      this.#unseen.add(key);
      try {
        await this.#context.client.delete(CONFIG_MAPS, { namespace, name, uid }, signal);
      } catch (error) {
        this.#unseen.delete(key);
        if (!isGoneOrReplaced(error)) throw error;
      }
    }
  }
}

/** Reads from the name of a ConfigMap which version of which pack it would hold. */
export function versionOf({
  metadata,
}: KubernetesObject): { pack: string; hash: string } | undefined {
  const [, pack, hash] = NAME_OF_VERSION.exec(metadata.name) ?? [];
  return pack === undefined || hash === undefined ? undefined : { pack, hash };
}

/** The keys of the PromptPacks that an object belongs to, or whose version it holds by its name. */
export function packsOfVersion(object: KubernetesObject): string[] {
  const { namespace, ownerReferences = [] } = object.metadata;
  const owners = ownerReferences.filter(
    ({ kind, apiVersion }) => kind === PROMPT_PACK && apiVersion.startsWith(`${GROUP}/`),
  );
  const names = [...owners.map(({ name }) => name), versionOf(object)?.pack];
  return names.flatMap((name) => (name === undefined ? [] : [`${namespace}/${name}`]));
}

function placeOf(
  { metadata }: StoredPromptPack,
  hash: string,
): { namespace: string; name: string } {
  return { namespace: metadata.namespace ?? "", name: `${metadata.name}-${hash}` };
}

function toConfigMap(
  { metadata }: StoredPromptPack,
  place: { namespace: string; name: string },
  content: string,
): ConfigMapObject {
  return {
    metadata: {
      ...place,
      labels: promptPackLabels(metadata.name),
      ownerReferences: [
        {
          apiVersion: API_VERSION,
          kind: PROMPT_PACK,
          name: metadata.name,
          uid: metadata.uid ?? "",
          controller: true,
        },
      ],
    },
    immutable: true,
    data: { [DEFAULT_PACK_KEY]: content },
  };
}

/** Puts the newest first. Times are in whole seconds. Within one second, the object that was made later has the higher resourceVersion. */
export function byAge(a: KubernetesObject, b: KubernetesObject): number {
  const { creationTimestamp: at = "" } = a.metadata;
  const { creationTimestamp: other = "" } = b.metadata;
  if (at !== other) return at < other ? 1 : -1;
  return Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion);
}
