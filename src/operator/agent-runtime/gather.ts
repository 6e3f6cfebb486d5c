/** What one AgentRuntime refers to, from the cluster. */
import { runtimeSpecOf, toolRegistryNameOf, type AgentRuntime } from "../../api/agent-runtime.ts";
import type { KeySelector } from "../../api/fields/core.ts";
import type {
  AgentReferences,
  SecretReference,
  SessionStoreReference,
} from "../../control/agent-runtime/references.ts";
import type { DecidedPromptPacks, DecidedToolRegistries } from "../cluster/operator-context.ts";
import type { SecretReader } from "../cluster/secret-reader.ts";

export interface ReferenceReaders {
  readonly promptPacks: Pick<DecidedPromptPacks, "reference">;
  readonly toolRegistries: Pick<DecidedToolRegistries, "reference">;
  readonly secrets: SecretReader;
  /** Those that are watched; empty: all of them. */
  readonly namespaces: readonly string[];
}

interface NotWatched {
  readonly found: false;
  readonly hint: string;
}

/** Rejects when something could not be read: what cannot be read is not the same as what is not there. */
export async function gatherAgent(
  { metadata, spec }: AgentRuntime,
  { promptPacks, toolRegistries, secrets, namespaces }: ReferenceReaders,
  signal: AbortSignal,
): Promise<AgentReferences> {
  const { namespace } = metadata;
  const look = async <Reference>(
    from: { reference(key: string, signal: AbortSignal): Promise<Reference> },
    reference: { name: string; namespace?: string | undefined },
  ): Promise<Reference | NotWatched> => {
    const where = reference.namespace ?? namespace;
    return namespaces.length === 0 || namespaces.includes(where)
      ? await from.reference(`${where}/${reference.name}`, signal)
      : { found: false, hint: `have the operator watch the namespace "${where}"` };
  };
  const secret = async (name: string): Promise<SecretReference> => {
    const facts = await secrets.facts(`${namespace}/${name}`, signal);
    return facts === undefined
      ? { found: false }
      : { found: true, keys: facts.keys, source: "secret", name };
  };
  const store = async ({ name, key }: KeySelector): Promise<SessionStoreReference> => {
    const facts = await secrets.facts(`${namespace}/${name}`, signal);
    const urlProblem = facts?.urlProblems.get(key);
    return { ...(await secret(name)), ...(urlProblem === undefined ? {} : { urlProblem }) };
  };

  const runtime = runtimeSpecOf(spec);
  const registryName = toolRegistryNameOf(spec);
  const toolRegistry = registryName && (await look(toolRegistries, registryName));
  const toolSecretNames =
    toolRegistry?.found === true
      ? new Set(toolRegistry.tools.flatMap(({ authSecretRef }) => authSecretRef?.name ?? []))
      : new Set<string>();
  const toolSecrets: Record<string, SecretReference> = {};
  for (const name of toolSecretNames) toolSecrets[name] = await secret(name);
  const { storeRef } = spec.session;
  const apiKeysSecretRef = spec.facade.auth?.apiKeysSecretRef;

  return {
    ...(runtime === undefined
      ? {}
      : {
          promptPack: await look(promptPacks, runtime.promptPackRef),
          providerSecret: await secret(runtime.provider.apiKeySecretRef.name),
        }),
    ...(toolRegistry === undefined ? {} : { toolRegistry }),
    ...(spec.session.type !== "redis" || storeRef === undefined
      ? {}
      : { sessionStoreSecret: await store(storeRef) }),
    ...(apiKeysSecretRef === undefined
      ? {}
      : { apiKeysSecret: await secret(apiKeysSecretRef.name) }),
    ...(toolSecretNames.size === 0 ? {} : { toolSecrets }),
  };
}
