/** Gives a resource of the cluster the form that the HTTP API reads: with a spec that has all its fields, and without values that may be secret. */
import {
  agentRuntimeSpecSchema,
  type AgentRuntime,
  type AgentRuntimeStatus,
} from "../../api/agent-runtime.ts";
import { AGENT_RUNTIME, API_VERSION, PROMPT_PACK, TOOL_REGISTRY } from "../../api/group.ts";
import { promptPackSpecSchema, type PromptPackStatus } from "../../api/prompt-pack.ts";
import {
  toolRegistrySpecSchema,
  type ToolRegistry,
  type ToolRegistryStatus,
} from "../../api/tool-registry.ts";
import { hideValues } from "../../control/hide-values.ts";
import type {
  StoredAgentRuntime,
  StoredPromptPack,
  StoredToolRegistry,
} from "../../gateway/resource-source.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";

type Stored = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown };

export function agentRuntimeOf(object: Stored): StoredAgentRuntime {
  const read = agentRuntimeSpecSchema.safeParse(object.spec);
  // A newer operator may know fields that are not known here. The agent is shown all the same.
  const spec = read.success ? read.data : withFloor(object.spec);
  const status = fields(object.status) as AgentRuntimeStatus;
  return hideValues({ ...headOf(object), kind: AGENT_RUNTIME, spec, status });
}

export function promptPackOf(object: Stored): StoredPromptPack {
  const read = promptPackSpecSchema.safeParse(object.spec);
  const spec = read.success ? read.data : (fields(object.spec) as StoredPromptPack["spec"]);
  const status = fields(object.status) as PromptPackStatus;
  return hideValues({ ...headOf(object), kind: PROMPT_PACK, spec, status });
}

export function toolRegistryOf(object: Stored): StoredToolRegistry {
  const read = toolRegistrySpecSchema.safeParse(object.spec);
  const { tools, ...others } = fields(object.spec);
  const spec = read.success
    ? read.data
    : ({ ...others, tools: Array.isArray(tools) ? tools : [] } as ToolRegistry["spec"]);
  const status = fields(object.status) as ToolRegistryStatus;
  return hideValues({ ...headOf(object), kind: TOOL_REGISTRY, spec, status });
}

function headOf({ metadata }: Stored) {
  const { name, namespace = "", generation, labels, annotations, creationTimestamp } = metadata;
  return {
    apiVersion: API_VERSION,
    metadata: { name, namespace, generation, labels, annotations, creationTimestamp },
  };
}

function withFloor(spec: unknown): AgentRuntime["spec"] {
  const { facade, session, ...others } = fields(spec);
  return {
    replicas: 1,
    ...others,
    facade: { type: "websocket", port: 8080, handler: "runtime", ...fields(facade) },
    session: { type: "memory", ttl: "1h", ...fields(session) },
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
