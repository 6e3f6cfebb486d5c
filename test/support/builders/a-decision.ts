/** Worlds for the decision about an agent: what it refers to, all of it well unless told otherwise. */
import type { ReadList } from "../../../src/tool-servers/lists/known-list.ts";
import {
  type AgentRuntimeDecision,
  type AgentRuntimeInput,
  decideAgentRuntime,
} from "../../../src/control/agent-runtime/decide-agent-runtime.ts";
import type { ObservedWorkload } from "../../../src/control/agent-runtime/available.ts";
import { decideVersions } from "../../../src/control/prompt-pack/decide-prompt-pack.ts";
import { decideToolRegistry } from "../../../src/control/tool-registry/decide-tool-registry.ts";
import type { WrittenVersion } from "../../../src/control/prompt-pack/pack-version.ts";
import { packSource } from "../../../src/control/prompt-pack/pack-source.ts";
import type {
  AgentReferences,
  PromptPackReference,
  SecretReference,
  ToolRegistryReference,
} from "../../../src/control/agent-runtime/references.ts";
import { parsePromptPack } from "../../../src/promptpack/check/parse-prompt-pack.ts";
import { aPackText, aPrompt } from "./a-pack.ts";
import { anAgentRuntime, aPromptPack, aToolRegistry } from "./resources.ts";

export const NOW = Date.parse("2026-03-01T12:00:00Z");

type Fields = Record<string, unknown>;

/** A version of a pack, 1.0.0 unless told otherwise; prompts need only what matters. */
export function theVersion(
  fields: Fields & { prompts?: Record<string, Fields> } = {},
): WrittenVersion {
  const prompts = Object.entries(fields.prompts ?? { support: {} });
  const content = aPackText({
    version: "1.0.0",
    ...fields,
    prompts: Object.fromEntries(prompts.map(([key, prompt]) => [key, aPrompt(prompt)])),
  });
  const parsed = parsePromptPack(content);
  if (!parsed.ok) throw new Error(parsed.message);
  return { hash: parsed.hash, semver: parsed.pack.version, document: parsed.pack, content };
}

export function packReference({
  kept = [],
  source = kept[0]?.content ?? theVersion().content,
  canary,
}: {
  /** The text in the ConfigMap. */
  source?: string;
  /** Newest first; the first one is active. */
  kept?: WrittenVersion[];
  canary?: WrittenVersion;
} = {}): PromptPackReference {
  const [active] = kept;
  const promptPack = aPromptPack({
    ...(canary === undefined
      ? {}
      : {
          spec: {
            source: { configMapRef: { name: "prompts-content" } },
            rollout: { strategy: "canary", canary: { weight: 20 } },
          },
        }),
    status: active === undefined ? undefined : { activeVersion: active.hash },
  });
  const { validity, versions } = decideVersions({
    promptPack,
    source: packSource(promptPack, { "promptpack.json": canary?.content ?? source }),
    previous: kept,
  });
  const { strategy, evals } = promptPack.spec.rollout;
  return { found: true, name: "prompts", namespace: "agents", validity, versions, strategy, evals };
}

const urlOf = (tool: string): string => `http://tools.example/${tool}`;

export function registryReference({
  reachable = { "lookup-user": true },
  entry = {},
  namespace = "agents",
  listed,
}: {
  /** Tools by name. */
  reachable?: Record<string, boolean>;
  entry?: Fields;
  namespace?: string;
  /** The names of the tools in the list of each server. */
  listed?: readonly string[];
} = {}): ToolRegistryReference {
  const names = Object.keys(reachable);
  const { status, tools } = decideToolRegistry({
    toolRegistry: aToolRegistry({
      spec: { tools: names.map((name) => ({ name, url: urlOf(name), ...entry })) },
    }),
    services: [],
    probes: new Map(
      Object.entries(reachable).map(([name, is]) => [urlOf(name), { reachable: is }]),
    ),
    lists: new Map(
      listed === undefined ? [] : names.map((name) => [name, aToolList(...listed)] as const),
    ),
    now: NOW,
  });
  return { found: true, name: "tools", namespace, status, tools };
}

/** What was read of a server that has these tools. */
export function aToolList(...names: readonly string[]): ReadList {
  const tools = names.map((name) => ({ name, description: "", inputSchema: { type: "object" } }));
  return { state: "read", tools, unsupported: [] };
}

export function secret(name: string, ...keys: string[]): Extract<SecretReference, { found: true }> {
  return { found: true, keys, source: "secret", name };
}

/** A pack and the provider's key. */
export function theReferences(given: AgentReferences = {}): AgentReferences {
  return {
    promptPack: packReference(),
    providerSecret: secret("openai-credentials", "api-key"),
    ...given,
  };
}

/** Replicas that are all of the newest spec. */
export function observed(replicas: number, available: number): ObservedWorkload {
  return {
    replicas,
    readyReplicas: available,
    availableReplicas: available,
    updatedReplicas: replicas,
  };
}

/** Of an AgentRuntime with the given fields of the spec. */
export function decided({
  spec = {},
  ...given
}: Partial<Omit<AgentRuntimeInput, "agentRuntime">> & {
  spec?: Fields;
} = {}): AgentRuntimeDecision {
  return decideAgentRuntime({
    agentRuntime: anAgentRuntime({ spec }),
    references: theReferences(),
    observed: undefined,
    previous: {},
    now: NOW,
    ...given,
  });
}
