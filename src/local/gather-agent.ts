/** What one AgentRuntime refers to, from the files and the environment. */
import { runtimeSpecOf, toolRegistryNameOf, type AgentRuntime } from "../api/agent-runtime.ts";
import type { KeySelector } from "../api/fields/core.ts";
import { redisURLProblem } from "../control/agent-runtime/redis-url-problem.ts";
import type {
  AgentReferences,
  PromptPackReference,
  SessionStoreReference,
  ToolRegistryReference,
} from "../control/agent-runtime/references.ts";
import { objectKey, type LocalWorld } from "./world.ts";
import {
  PROVIDER_VARIABLES,
  resolveSecret,
  STORE_VARIABLE,
  type ResolvedSecret,
} from "./secrets/resolve-secret.ts";

export interface GatheredAgent {
  readonly references: AgentReferences;
  /** Of a Secret in the agent's namespace, the environment's stand-ins among them; `undefined`: nothing gives it. */
  readonly secretValues: (name: string) => ReadonlyMap<string, string> | undefined;
}

/** What was decided about the packs and registries before, by namespace and name. */
export interface DecidedReferences {
  readonly promptPacks: ReadonlyMap<string, Extract<PromptPackReference, { found: true }>>;
  readonly toolRegistries: ReadonlyMap<string, Extract<ToolRegistryReference, { found: true }>>;
}

export function gatherAgent(
  agent: AgentRuntime,
  world: LocalWorld,
  decided: DecidedReferences,
): GatheredAgent {
  const { metadata, spec } = agent;
  const { namespace } = metadata;
  const values = new Map<string, Map<string, string>>();
  const resolve = (name: string, standIn?: { variable: string; key: string }): ResolvedSecret => {
    const resolved = resolveSecret(world.secret({ namespace, name }), world.environment, standIn);
    if (resolved.reference.found) {
      // One Secret may hold both the key and the URL, and each may have its own stand-in.
      values.set(name, new Map([...(values.get(name) ?? []), ...resolved.values]));
    }
    return resolved;
  };

  const resolveStore = ({ name, key }: KeySelector): SessionStoreReference => {
    const { reference, values } = resolve(name, { variable: STORE_VARIABLE, key });
    const url = values.get(key);
    const urlProblem = url === undefined ? undefined : redisURLProblem(url);
    return { ...reference, ...(urlProblem === undefined ? {} : { urlProblem }) };
  };

  const runtime = runtimeSpecOf(spec);
  const registryName = toolRegistryNameOf(spec);
  const registry = registryName && lookUp(decided.toolRegistries, registryName, namespace);
  const { storeRef } = spec.session;
  const toolSecretNames =
    registry?.found === true
      ? registry.tools.flatMap(({ authSecretRef }) => authSecretRef?.name ?? [])
      : [];
  const apiKeysSecretRef = spec.facade.auth?.apiKeysSecretRef;

  const references: AgentReferences = {
    ...(runtime === undefined
      ? {}
      : {
          promptPack: lookUp(decided.promptPacks, runtime.promptPackRef, namespace),
          providerSecret: resolve(runtime.provider.apiKeySecretRef.name, {
            variable: PROVIDER_VARIABLES[runtime.provider.name],
            key: runtime.provider.apiKeySecretRef.key,
          }).reference,
        }),
    ...(registry === undefined ? {} : { toolRegistry: registry }),
    ...(spec.session.type !== "redis" || storeRef === undefined
      ? {}
      : { sessionStoreSecret: resolveStore(storeRef) }),
    ...(apiKeysSecretRef === undefined
      ? {}
      : { apiKeysSecret: resolve(apiKeysSecretRef.name).reference }),
    ...(toolSecretNames.length === 0
      ? {}
      : {
          toolSecrets: Object.fromEntries(
            toolSecretNames.map((name) => [name, resolve(name).reference]),
          ),
        }),
  };

  return {
    references,
    secretValues: (name) => {
      const known = values.get(name);
      if (known !== undefined) return known;
      const resolved = resolveSecret(world.secret({ namespace, name }), world.environment);
      return resolved.reference.found ? resolved.values : undefined;
    },
  };
}

/** A reference that names no namespace means the agent's own. */
function lookUp<T extends { found: true }>(
  found: ReadonlyMap<string, T>,
  { name, namespace }: { name: string; namespace?: string | undefined },
  ownNamespace: string,
): T | { found: false } {
  return found.get(objectKey({ namespace: namespace ?? ownNamespace, name })) ?? { found: false };
}
