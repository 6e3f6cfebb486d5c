/** Looks up in the cluster what agents refer to. */
import type { ObjectName } from "../../control/object-name.ts";
import type { Cache } from "../../kube/watch/cache.ts";
import { keyOf, type KubernetesObject } from "../../kube/client/object.ts";
import type { DecidedPromptPacks, DecidedToolRegistries } from "../cluster/operator-context.ts";
import type { SecretReader } from "../cluster/secret-reader.ts";
import type { ReferenceReaders } from "../../control/agent-runtime/gather-references.ts";

export interface ReferenceSources {
  readonly promptPacks: Pick<DecidedPromptPacks, "reference">;
  readonly toolRegistries: Pick<DecidedToolRegistries, "reference">;
  readonly secrets: SecretReader;
  /** By name, the namespaces with their labels, if they are watched. */
  readonly namespaceObjects: Pick<Cache<KubernetesObject>, "get">;
  /** The namespaces that are watched; empty: all of them. */
  readonly namespaces: readonly string[];
}

export function clusterReaders(
  { promptPacks, toolRegistries, secrets, namespaces, namespaceObjects }: ReferenceSources,
  signal: AbortSignal,
): ReferenceReaders {
  const isWatched = (namespace: string): boolean =>
    namespaces.length === 0 || namespaces.includes(namespace);
  return {
    promptPack: async (name) =>
      isWatched(name.namespace)
        ? await promptPacks.reference(keyOf(name), signal)
        : notWatched(name),
    toolRegistry: async (name) =>
      isWatched(name.namespace)
        ? await toolRegistries.reference(keyOf(name), signal)
        : notWatched(name),
    namespaceLabels: async (namespace) => namespaceObjects.get(namespace)?.metadata.labels,
    async secret(name, use) {
      const facts = await secrets.facts(keyOf(name), signal);
      if (facts === undefined) return { found: false };
      const urlProblem = use.type === "session-store" ? facts.urlProblems.get(use.key) : undefined;
      const unfit =
        use.type === "provider"
          ? facts.apiKeyProblems
          : use.type === "tool"
            ? facts.headerProblems
            : undefined;
      return {
        found: true,
        keys: facts.keys,
        source: "secret",
        name: name.name,
        urlProblem,
        unfitValues: unfit && unfit.size > 0 ? Object.fromEntries(unfit) : undefined,
      };
    },
  };
}

function notWatched({ namespace }: ObjectName): { found: false; hint: string } {
  return { found: false, hint: `have the operator watch the namespace "${namespace}"` };
}
