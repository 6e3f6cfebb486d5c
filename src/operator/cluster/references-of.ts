/** What resources refer to, as keys "namespace/name": for the indexes by which a change finds those whom it concerns. */
import { runtimeSpecOf, toolRegistryNameOf } from "../../api/agent-runtime.ts";
import type {
  StoredAgentRuntime,
  StoredPromptPack,
  StoredToolRegistry,
} from "./kubernetes-objects.ts";

/**
 * What is read of a stored spec, `otherwise` when it is of another schema: such an object refers to nothing that is known here, and
 * must not keep the others of its kind from being seen.
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

/** The Secrets that the spec names. Those of its registry's tools are not among them. */
export function secretsOf({ metadata, spec }: StoredAgentRuntime): string[] {
  const names = (): (string | undefined)[] => [
    runtimeSpecOf(spec)?.provider.apiKeySecretRef.name,
    spec.session.type === "redis" ? spec.session.storeRef?.name : undefined,
    spec.facade.auth?.apiKeysSecretRef?.name,
    ...(spec.env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
  ];
  return keysIn(metadata.namespace, ofKnownSchema(names, []));
}

/** The ConfigMaps that the environment of an agent's containers is taken from. */
export function configMapsOf({ metadata, spec }: StoredAgentRuntime): string[] {
  const names = (): (string | undefined)[] =>
    (spec.env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name);
  return keysIn(metadata.namespace, ofKnownSchema(names, []));
}

export function sourceOf({ metadata, spec }: StoredPromptPack): string | undefined {
  const name = ofKnownSchema(() => spec.source.configMapRef.name, undefined);
  return name && `${metadata.namespace}/${name}`;
}

/** Names of the Secrets for the calls of a registry's tools. They are looked for where the agents are. */
export function toolSecretNamesOf({ spec }: StoredToolRegistry): string[] {
  const names = (): string[] =>
    spec.tools.flatMap(({ authSecretRef }) => authSecretRef?.name ?? []);
  return [...new Set(ofKnownSchema(names, []))];
}

function keysIn(namespace: string | undefined, names: readonly (string | undefined)[]): string[] {
  const found = names.filter((name) => name !== undefined && name !== "");
  return [...new Set(found)].map((name) => `${namespace}/${name}`);
}
