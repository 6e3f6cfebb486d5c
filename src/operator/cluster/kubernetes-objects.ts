/** The kinds that the operator reads and writes, as raw JSON, with the fields that are used here. */
import type {
  V1ContainerStatus,
  V1DeploymentSpec,
  V1PodDisruptionBudgetSpec,
  V1PodSpec,
  V1ServiceSpec,
  V2HorizontalPodAutoscalerSpec,
} from "@kubernetes/client-node";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { GROUP, VERSION } from "../../api/group.ts";
import type { PromptPack } from "../../api/prompt-pack.ts";
import type { ToolRegistry } from "../../api/tool-registry.ts";
import type { AgentNetworkPolicy, NetworkPolicyPeers } from "./agent-network-policy.ts";
import type { KubernetesObject, ResourceType } from "../../kube/client/object.ts";

/** A resource of ours as the API server holds it, with its defaults. It is not parsed: `spec` may follow an older schema. */
type Stored<Kind extends { spec: unknown; status?: unknown }> = KubernetesObject & {
  spec: Kind["spec"];
  status?: Kind["status"];
};
export type StoredAgentRuntime = Stored<AgentRuntime> & {
  /** The operators that say in its status that they keep off. It is read from the managed fields when the object comes. */
  keptOffBy?: readonly string[];
  /** The manifest that was applied names `spec.replicas` although an autoscaler sets it. It is read when the object comes. */
  appliesReplicas?: boolean;
};
export type StoredPromptPack = Stored<PromptPack>;
export type StoredToolRegistry = Stored<ToolRegistry>;

export interface ConfigMapObject extends KubernetesObject {
  data?: Record<string, string>;
  /** Base64. */
  binaryData?: Record<string, string>;
  immutable?: boolean;
}
export interface SecretObject extends KubernetesObject {
  /** Base64. */
  data?: Record<string, string>;
}
export interface ServiceObject extends KubernetesObject {
  spec: V1ServiceSpec;
}
export interface EndpointSliceObject extends KubernetesObject {
  endpoints?: { conditions?: { ready?: boolean | null } }[] | null;
}
export interface DeploymentObject extends KubernetesObject {
  spec: V1DeploymentSpec;
  status?: {
    observedGeneration?: number;
    replicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    updatedReplicas?: number;
    conditions?: {
      type: string;
      status: string;
      reason?: string;
      message?: string;
      lastTransitionTime?: string;
    }[];
  };
}
export interface PodObject extends KubernetesObject {
  spec?: Pick<V1PodSpec, "nodeName">;
  status?: PodStatus;
}
export interface PodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  podIP?: string;
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
  initContainerStatuses?: ContainerStatus[];
  containerStatuses?: ContainerStatus[];
}
export type ContainerStatus = Pick<
  V1ContainerStatus,
  "name" | "ready" | "started" | "restartCount" | "state" | "lastState"
>;
export interface PodDisruptionBudgetObject extends KubernetesObject {
  spec: V1PodDisruptionBudgetSpec;
}
export interface NetworkPolicyObject extends KubernetesObject {
  spec: {
    podSelector: { matchLabels: Record<string, string> };
    policyTypes: string[];
    ingress: { from?: NetworkPolicyPeers | undefined; ports?: NetworkPolicyPort[] | undefined }[];
    egress?: AgentNetworkPolicy["egress"];
  };
}
/** What an autoscaler says of itself. */
interface ScalerCondition {
  type: string;
  status: string;
  reason?: string | undefined;
  message?: string | undefined;
}
export interface HorizontalPodAutoscalerObject extends KubernetesObject {
  spec: Pick<
    V2HorizontalPodAutoscalerSpec,
    "minReplicas" | "maxReplicas" | "scaleTargetRef" | "metrics" | "behavior"
  >;
  status?: { conditions?: ScalerCondition[] | null } | undefined;
}
/** The ScaledObject of KEDA. */
export interface ScaledObject extends KubernetesObject {
  spec: {
    scaleTargetRef: { apiVersion: string; kind: string; name: string };
    pollingInterval: number;
    cooldownPeriod: number;
    minReplicaCount: number;
    maxReplicaCount: number;
    advanced: {
      horizontalPodAutoscalerConfig: Pick<V2HorizontalPodAutoscalerSpec, "behavior">;
    };
    triggers: { type: string; metadata: Record<string, string> }[];
  };
  status?: { conditions?: ScalerCondition[] | null } | undefined;
}
interface NetworkPolicyPort {
  protocol: string;
  port?: number | string | undefined;
  endPort?: number | undefined;
}

function ours(kind: string, plural: string): ResourceType {
  return { group: GROUP, version: VERSION, kind, plural, namespaced: true };
}
function core(kind: string, plural: string): ResourceType {
  return { group: "", version: "v1", kind, plural, namespaced: true };
}

export const AGENT_RUNTIMES = ours("AgentRuntime", "agentruntimes");
export const PROMPT_PACKS = ours("PromptPack", "promptpacks");
export const TOOL_REGISTRIES = ours("ToolRegistry", "toolregistries");
export const CONFIG_MAPS = core("ConfigMap", "configmaps");
export const SECRETS = core("Secret", "secrets");
export const NAMESPACES: ResourceType = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};
export const SERVICES = core("Service", "services");
export const PODS = core("Pod", "pods");
export const ENDPOINT_SLICES: ResourceType = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};
export const DEPLOYMENTS: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};
export const POD_DISRUPTION_BUDGETS: ResourceType = {
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  namespaced: true,
};
export const NETWORK_POLICIES: ResourceType = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  namespaced: true,
};
export const HORIZONTAL_POD_AUTOSCALERS: ResourceType = {
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  namespaced: true,
};
/** KEDA's. A cluster may have no such kind. */
export const SCALED_OBJECTS: ResourceType = {
  group: "keda.sh",
  version: "v1alpha1",
  kind: "ScaledObject",
  plural: "scaledobjects",
  namespaced: true,
};
