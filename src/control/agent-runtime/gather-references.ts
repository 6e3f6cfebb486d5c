/**
 * Gathers what one AgentRuntime refers to. The readers know where to look it up, so that a cluster and one machine ask the same
 * questions.
 */
import { runtimeSpecOf, toolRegistryNameOf, type AgentRuntime } from "../../api/agent-runtime.ts";
import type { ProviderName } from "../../agent-config/agent-config.ts";
import type {
  AgentReferences,
  PromptPackReference,
  SecretReference,
  SessionStoreReference,
  ToolRegistryReference,
} from "./references.ts";
import type { ObjectName } from "../object-name.ts";

/** A reader rejects when it could not read. It answers that something is missing only when it knows that. */
export interface ReferenceReaders {
  promptPack(name: ObjectName): Promise<PromptPackReference>;
  toolRegistry(name: ObjectName): Promise<ToolRegistryReference>;
  /** `urlProblem` matters for the use `session-store` only. */
  secret(name: ObjectName, use: SecretUse): Promise<SessionStoreReference>;
}

/** What a Secret is for. A reader may know something else that gives the value of `key`, such as an environment variable. */
export type SecretUse =
  | { readonly type: "provider"; readonly provider: ProviderName; readonly key: string }
  | { readonly type: "session-store"; readonly key: string }
  | { readonly type: "api-keys" }
  | { readonly type: "tool" };

/** Rejects when a reader rejects. */
export async function gatherReferences(
  { metadata, spec }: AgentRuntime,
  readers: ReferenceReaders,
): Promise<AgentReferences> {
  const { namespace } = metadata;
  /** A reference that names no namespace means the agent's own. */
  const fullName = (reference: { name: string; namespace?: string | undefined }): ObjectName => ({
    namespace: reference.namespace ?? namespace,
    name: reference.name,
  });
  const secret = (name: string, use: SecretUse): Promise<SessionStoreReference> =>
    readers.secret({ namespace, name }, use);

  const runtime = runtimeSpecOf(spec);
  const provider = runtime?.provider;
  const registryName = toolRegistryNameOf(spec);
  const { type: sessionType, storeRef } = spec.session;
  const apiKeysSecretName = spec.facade.auth?.apiKeysSecretRef?.name;

  const toolRegistry = registryName && (await readers.toolRegistry(fullName(registryName)));
  return {
    promptPack: runtime && (await readers.promptPack(fullName(runtime.promptPackRef))),
    providerSecret:
      provider &&
      (await secret(provider.apiKeySecretRef.name, {
        type: "provider",
        provider: provider.name,
        key: provider.apiKeySecretRef.key,
      })),
    sessionStoreSecret:
      sessionType === "redis" && storeRef !== undefined
        ? await secret(storeRef.name, { type: "session-store", key: storeRef.key })
        : undefined,
    apiKeysSecret:
      apiKeysSecretName === undefined
        ? undefined
        : await secret(apiKeysSecretName, { type: "api-keys" }),
    toolRegistry,
    toolSecrets: await gatherToolSecrets(toolRegistry, (name) => secret(name, { type: "tool" })),
  };
}

async function gatherToolSecrets(
  registry: ToolRegistryReference | undefined,
  read: (name: string) => Promise<SecretReference>,
): Promise<AgentReferences["toolSecrets"]> {
  if (registry?.found !== true) return undefined;
  const names = new Set(registry.tools.flatMap(({ authSecretRef }) => authSecretRef?.name ?? []));
  if (names.size === 0) return undefined;
  const secrets: Record<string, SecretReference> = {};
  for (const name of names) secrets[name] = await read(name);
  return secrets;
}
