/** Builds resources for tests, complete and with every default filled in; what is given replaces whole fields of the spec. */
import { agentRuntimeSchema, type AgentRuntime } from "../../../src/api/agent-runtime.ts";
import { API_VERSION } from "../../../src/api/group.ts";
import { promptPackSchema, type PromptPack } from "../../../src/api/prompt-pack.ts";
import { toolRegistrySchema, type ToolRegistry } from "../../../src/api/tool-registry.ts";

interface Given<Status> {
  metadata?: Record<string, unknown>;
  spec?: Record<string, unknown>;
  status?: Status;
}

/** Handler `runtime`, with a provider and a pack, without tools. */
export function anAgentRuntime(given: Given<AgentRuntime["status"]> = {}): AgentRuntime {
  return agentRuntimeSchema.parse({
    apiVersion: API_VERSION,
    kind: "AgentRuntime",
    metadata: { name: "support", namespace: "agents", generation: 1, ...given.metadata },
    spec: {
      provider: {
        name: "openai",
        model: "gpt-4",
        apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
      },
      promptPackRef: { name: "prompts" },
      ...given.spec,
    },
    ...(given.status === undefined ? {} : { status: given.status }),
  });
}

/** One that refers to all that an agent may refer to; the pack and the registry are in other namespaces. */
export function anAgentRuntimeWithReferences(): AgentRuntime {
  return anAgentRuntime({
    spec: {
      promptPackRef: { name: "prompts", namespace: "packs" },
      toolRegistryRef: { name: "tools", namespace: "shared" },
      session: { type: "redis", storeRef: { name: "store", key: "url" } },
      facade: { auth: { apiKeysSecretRef: { name: "clients" } } },
    },
  });
}

export function aPromptPack(given: Given<PromptPack["status"]> = {}): PromptPack {
  return promptPackSchema.parse({
    apiVersion: API_VERSION,
    kind: "PromptPack",
    metadata: { name: "prompts", namespace: "agents", generation: 1, ...given.metadata },
    spec: { source: { configMapRef: { name: "prompts-content" } }, ...given.spec },
    ...(given.status === undefined ? {} : { status: given.status }),
  });
}

export function aToolRegistry(given: Given<ToolRegistry["status"]> = {}): ToolRegistry {
  return toolRegistrySchema.parse({
    apiVersion: API_VERSION,
    kind: "ToolRegistry",
    metadata: { name: "tools", namespace: "agents", generation: 1, ...given.metadata },
    spec: { tools: [{ name: "lookup-user", url: "http://tools.example/lookup" }], ...given.spec },
    ...(given.status === undefined ? {} : { status: given.status }),
  });
}
