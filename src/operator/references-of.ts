/** What resources refer to, as keys "namespace/name": for the indexes by which a change finds those whom it concerns. */
import { runtimeSpecOf, toolRegistryNameOf } from "../api/agent-runtime.ts";
import type {
  StoredAgentRuntime,
  StoredPromptPack,
  StoredToolRegistry,
} from "./kubernetes-objects.ts";

export function promptPackOf({ metadata, spec }: StoredAgentRuntime): string | undefined {
  const reference = runtimeSpecOf(spec)?.promptPackRef;
  return reference && `${reference.namespace ?? metadata.namespace}/${reference.name}`;
}

export function toolRegistryOf({ metadata, spec }: StoredAgentRuntime): string | undefined {
  const reference = toolRegistryNameOf(spec);
  return reference && `${reference.namespace ?? metadata.namespace}/${reference.name}`;
}

/** The Secrets that the spec names. Those of its registry's tools are not among them. */
export function secretsOf({ metadata, spec }: StoredAgentRuntime): string[] {
  const names = [
    runtimeSpecOf(spec)?.provider.apiKeySecretRef.name,
    spec.session.type === "redis" ? spec.session.storeRef?.name : undefined,
    spec.facade.auth?.apiKeysSecretRef?.name,
    ...(spec.env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
  ];
  return keysIn(metadata.namespace, names);
}

/** The ConfigMaps that the environment of an agent's containers is taken from. */
export function configMapsOf({ metadata, spec }: StoredAgentRuntime): string[] {
  const names = (spec.env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name);
  return keysIn(metadata.namespace, names);
}

export function sourceOf({ metadata, spec }: StoredPromptPack): string {
  return `${metadata.namespace}/${spec.source.configMapRef.name}`;
}

/** Names of the Secrets for the calls of a registry's tools. They are looked for where the agents are. */
export function toolSecretNamesOf({ spec }: StoredToolRegistry): string[] {
  return [...new Set(spec.tools.flatMap(({ authSecretRef }) => authSecretRef?.name ?? []))];
}

function keysIn(namespace: string | undefined, names: readonly (string | undefined)[]): string[] {
  const found = names.filter((name) => name !== undefined && name !== "");
  return [...new Set(found)].map((name) => `${namespace}/${name}`);
}
