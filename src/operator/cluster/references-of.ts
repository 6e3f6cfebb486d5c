/** What resources refer to, as keys "namespace/name". The indexes of the caches are made of it. */
import { runtimeSpecOf, toolRegistryNameOf } from "../../api/agent-runtime.ts";
import { configMapNames } from "../../control/tool-registry/descriptor-sets.ts";
import type {
  StoredAgentRuntime,
  StoredPromptPack,
  StoredToolRegistry,
} from "./kubernetes-objects.ts";

/**
 * What `read` gives, or `otherwise` when the stored spec follows another schema. Such an object refers to nothing that is known
 * here, and must not keep the other objects of its kind out of the cache.
 */
export function ofKnownSchema<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError) return otherwise;
    throw error;
  }
}

export function promptPackOf({ metadata, spec }: StoredAgentRuntime): string | undefined {
  const reference = ofKnownSchema(() => runtimeSpecOf(spec)?.promptPackRef, undefined);
  return reference && `${reference.namespace ?? metadata.namespace}/${reference.name}`;
}

export function toolRegistryOf({ metadata, spec }: StoredAgentRuntime): string | undefined {
  const reference = ofKnownSchema(() => toolRegistryNameOf(spec), undefined);
  return reference && `${reference.namespace ?? metadata.namespace}/${reference.name}`;
}

/** What scales the agent. */
export function scalerOf({ spec }: StoredAgentRuntime): string | undefined {
  const read = () => (spec.autoscaling?.enabled === true ? spec.autoscaling.type : undefined);
  return ofKnownSchema(read, undefined);
}

/** The Secrets that the spec names. The Secrets of its registry's tools are not among them. */
export function secretsOf({ metadata, spec }: StoredAgentRuntime): string[] {
  const names = (): (string | undefined)[] => [
    runtimeSpecOf(spec)?.provider?.apiKeySecretRef.name,
    spec.session.type === "redis" ? spec.session.storeRef?.name : undefined,
    spec.facade.auth?.apiKeysSecretRef?.name,
    ...(spec.toolRegistryRef?.credentials ?? []).map(({ secretRef }) => secretRef.name),
    ...(spec.env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
  ];
  return keysIn(metadata.namespace, ofKnownSchema(names, []));
}

/** The ConfigMaps from which containers of the agent take environment variables. */
export function configMapsOf({ metadata, spec }: StoredAgentRuntime): string[] {
  const names = (): (string | undefined)[] =>
    (spec.env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name);
  return keysIn(metadata.namespace, ofKnownSchema(names, []));
}

export function sourceOf({ metadata, spec }: StoredPromptPack): string | undefined {
  const name = ofKnownSchema(() => spec.source.configMapRef.name, undefined);
  return name && `${metadata.namespace}/${name}`;
}

/** The ConfigMaps that have descriptors of the registry's tools. */
export function toolConfigMapsOf({ metadata, spec }: StoredToolRegistry): string[] {
  return keysIn(
    metadata.namespace,
    ofKnownSchema(() => configMapNames(spec.tools), []),
  );
}

/** The names of the Secrets that the calls of a registry's tools need, in the namespaces of the agents. */
export function toolSecretNamesOf({ spec }: StoredToolRegistry): string[] {
  const names = (): string[] =>
    spec.tools.flatMap(({ authSecretRef }) => authSecretRef?.name ?? []);
  return [...new Set(ofKnownSchema(names, []))];
}

function keysIn(namespace: string | undefined, names: readonly (string | undefined)[]): string[] {
  const found = names.filter((name) => name !== undefined && name !== "");
  return [...new Set(found)].map((name) => `${namespace}/${name}`);
}
