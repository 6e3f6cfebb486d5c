/** Objects as users write them, for a test that applies them to an API server. */
import { API_VERSION, GROUP } from "../../../src/api/group.ts";
import { aPack } from "./a-pack.ts";
import type { KubeObject } from "../kubernetes/kube-cluster.ts";

type Manifest<Kind extends KubeObject["kind"]> = KubeObject & {
  apiVersion: string;
  kind: Kind;
  metadata: { name: string; namespace: string; [field: string]: unknown };
  [field: string]: unknown;
};
interface At {
  name: string;
  namespace: string;
}

export const PACK_KEY = "promptpack.json";

export function aNamespaceManifest(name: string): KubeObject {
  return { kind: "Namespace", metadata: { name } };
}

/** Handler `runtime`: Secret `model`, PromptPack `prompts`, ToolRegistry `tools`; what is given replaces fields of the spec. */
export function anAgentManifest(at: At, spec: object = {}): Manifest<"AgentRuntime"> {
  return {
    apiVersion: API_VERSION,
    kind: "AgentRuntime",
    metadata: { ...at },
    spec: {
      provider: {
        name: "openai",
        model: "test-model",
        apiKeySecretRef: { name: "model", key: "api-key" },
      },
      promptPackRef: { name: "prompts" },
      toolRegistryRef: { name: "tools" },
      ...spec,
    },
  };
}

export function aSecretManifest(at: At, values: Record<string, string>): Manifest<"Secret"> {
  return { apiVersion: "v1", kind: "Secret", metadata: { ...at }, stringData: values };
}

export function aConfigMapManifest(at: At, data: Record<string, string>): Manifest<"ConfigMap"> {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { ...at }, data };
}

/** The content of a PromptPack whose prompt says `system`. */
export function aPackManifest(at: At, system = "You help."): Manifest<"ConfigMap"> {
  return aConfigMapManifest(at, { [PACK_KEY]: packSaying(system) });
}

export function packSaying(system: string): string {
  const prompt = { id: "support", name: "Support", version: "1.0.0", system_template: system };
  return JSON.stringify(aPack({ prompts: { support: prompt } }));
}

export function aPromptPackManifest(at: At, configMap: string): Manifest<"PromptPack"> {
  return {
    apiVersion: API_VERSION,
    kind: "PromptPack",
    metadata: { ...at },
    spec: { source: { configMapRef: { name: configMap } } },
  };
}

/** Discovers every Service labelled `offers: <name of the registry>`. */
export function aToolRegistryManifest(at: At): Manifest<"ToolRegistry"> {
  return {
    apiVersion: API_VERSION,
    kind: "ToolRegistry",
    metadata: { ...at },
    spec: {
      tools: [{ name: "found", selector: { matchLabels: { offers: at.name } }, port: "http" }],
    },
  };
}

/** A Service that `registry` discovers, with an endpoint that is ready. */
export function aToolServiceManifests(at: At, registry: string): [KubeObject, KubeObject] {
  const port = { name: "http", port: 80, protocol: "TCP" };
  const service = {
    kind: "Service" as const,
    metadata: { ...at, labels: { [`${GROUP}/tool`]: "true", offers: registry } },
    spec: { ports: [port] },
  };
  const slice = {
    kind: "EndpointSlice" as const,
    metadata: { ...at, labels: { "kubernetes.io/service-name": at.name } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.1.2.3"], conditions: { ready: true } }],
    ports: [port],
  };
  return [service, slice];
}

/** Everything that `anAgentManifest` refers to, in one namespace, complete. */
export function theReferences(namespace: string): KubeObject[] {
  return [
    aSecretManifest({ name: "model", namespace }, { "api-key": "sk-test" }),
    aPackManifest({ name: "prompts-content", namespace }),
    aPromptPackManifest({ name: "prompts", namespace }, "prompts-content"),
    ...aToolServiceManifests({ name: "lookup", namespace }, "tools"),
    aToolRegistryManifest({ name: "tools", namespace }),
  ];
}
