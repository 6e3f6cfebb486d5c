/**
 * Gathers what one AgentRuntime refers to. The readers know where to look it up, so that a cluster and one machine ask the same
 * questions.
 */
import { runtimeSpecOf, toolRegistryNameOf, type AgentRuntime } from "../../api/agent-runtime.ts";
import type { ProviderName } from "../../agent-config/agent-config.ts";
import type {
  AgentReferences,
  MissingReference,
  PromptPackReference,
  SecretReference,
  SessionStoreReference,
  ToolRegistryReference,
} from "./references.ts";
import { isGranted, namespaceFacts } from "../namespace-grant.ts";
import type { ObjectName } from "../object-name.ts";
import { DEFAULT_TRUST_POLICY, type TrustPolicy } from "../trust-policy.ts";
import { toolCredential } from "./tool-credential.ts";

/** A reader rejects when it could not read. It answers that something is missing only when it knows that. */
export interface ReferenceReaders {
  promptPack(name: ObjectName): Promise<PromptPackReference>;
  toolRegistry(name: ObjectName): Promise<ToolRegistryReference>;
  /** `urlProblem` matters for the use `session-store` only. */
  secret(name: ObjectName, use: SecretUse): Promise<SessionStoreReference>;
  /** `undefined` where the labels of namespaces are not known. */
  namespaceLabels(namespace: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** What a Secret is for. A reader may know something else that gives the value of `key`, such as an environment variable. */
export type SecretUse =
  | { readonly type: "provider"; readonly provider: ProviderName; readonly key: string }
  | { readonly type: "session-store"; readonly key: string }
  | { readonly type: "api-keys" }
  | { readonly type: "tool" };

/** Rejects when a reader rejects. */
export async function gatherReferences(
  agentRuntime: AgentRuntime,
  readers: ReferenceReaders,
  policy: TrustPolicy = DEFAULT_TRUST_POLICY,
): Promise<AgentReferences> {
  const { metadata, spec } = agentRuntime;
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

  const granted = async <Reference extends PromptPackReference | ToolRegistryReference>(
    reference: { name: string; namespace?: string | undefined },
    read: (name: ObjectName) => Promise<Reference>,
  ): Promise<Reference | MissingReference> => {
    const name = fullName(reference);
    return await grantedOnly(await read(name), namespace, name, { readers, policy });
  };
  const toolRegistry =
    registryName && (await granted(registryName, (name) => readers.toolRegistry(name)));
  return {
    promptPack:
      runtime && (await granted(runtime.promptPackRef, (name) => readers.promptPack(name))),
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
    toolSecrets: await gatherToolSecrets(agentRuntime, toolRegistry, (name) =>
      secret(name, { type: "tool" }),
    ),
  };
}

type Found<Reference> = Extract<Reference, { found: true }>;

/**
 * An object of another namespace that may not be referred to looks the same as one that is not there: else anybody could find
 * out what another namespace has.
 */
async function grantedOnly<Reference extends PromptPackReference | ToolRegistryReference>(
  reference: Reference,
  agentNamespace: string,
  name: ObjectName,
  { readers, policy }: { readers: ReferenceReaders; policy: TrustPolicy },
): Promise<Reference | MissingReference> {
  if (name.namespace === agentNamespace) return reference;
  const hint = `have it allow namespace "${agentNamespace}" in its allowedNamespaces`;
  if (!reference.found) return { ...reference, hint: reference.hint ?? hint };
  const found = reference as Found<Reference>;
  const { allowedNamespaces } = found;
  const labels =
    allowedNamespaces?.from === "Selector"
      ? await readers.namespaceLabels(agentNamespace)
      : undefined;
  const from = namespaceFacts(agentNamespace, labels);
  const object = { namespace: name.namespace, allowedNamespaces };
  return isGranted(object, from, policy.crossNamespaceReferences)
    ? reference
    : { found: false, hint, isRefused: true };
}

async function gatherToolSecrets(
  agentRuntime: AgentRuntime,
  registry: ToolRegistryReference | undefined,
  read: (name: string) => Promise<SecretReference>,
): Promise<AgentReferences["toolSecrets"]> {
  if (registry?.found !== true) return undefined;
  const names = new Set(
    registry.tools.flatMap(
      (tool) => toolCredential(tool, agentRuntime, registry.namespace).secretRef?.name ?? [],
    ),
  );
  if (names.size === 0) return undefined;
  const secrets: Record<string, SecretReference> = {};
  for (const name of names) secrets[name] = await read(name);
  return secrets;
}
