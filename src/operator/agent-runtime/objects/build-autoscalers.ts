/**
 * The object that scales an agent: a HorizontalPodAutoscaler, or a ScaledObject of KEDA. Both set `spec.replicas` of the AgentRuntime
 * through its scale subresource, so that there is one number, which the operator carries over to the Deployment.
 */
import type { V2HorizontalPodAutoscalerSpec, V2MetricSpec } from "@kubernetes/client-node";
import type { Autoscaling } from "../../../api/autoscaling.ts";
import { AGENT_RUNTIME, API_VERSION } from "../../../api/group.ts";
import {
  cooldownSeconds,
  DEFAULT_POLLING_SECONDS,
} from "../../../control/agent-runtime/decide-replicas.ts";
import type {
  HorizontalPodAutoscalerObject,
  ScaledObject,
} from "../../cluster/kubernetes-objects.ts";
import { agentLabels } from "../../cluster/labels.ts";

/** With the default trigger, there are so many connections to a replica on average. */
export const CONNECTIONS_PER_REPLICA = 10;

export interface AutoscalersWanted {
  readonly horizontalPodAutoscaler: HorizontalPodAutoscalerObject | undefined;
  readonly scaledObject: ScaledObject | undefined;
}

export interface AutoscalerFacts {
  readonly autoscaling: Autoscaling | undefined;
  /** Whether the cluster has the kinds of KEDA. */
  readonly hasKeda: boolean;
  /** The Prometheus of the default trigger. */
  readonly prometheusAddress: string | undefined;
}

type AgentName = { readonly name: string; readonly namespace: string };

export function buildAutoscalers(
  agent: AgentName,
  { autoscaling, hasKeda, prometheusAddress }: AutoscalerFacts,
): AutoscalersWanted {
  if (autoscaling?.enabled !== true) {
    return { horizontalPodAutoscaler: undefined, scaledObject: undefined };
  }
  if (autoscaling.type === "hpa") {
    const horizontalPodAutoscaler = buildHorizontalPodAutoscaler(agent, autoscaling);
    return { horizontalPodAutoscaler, scaledObject: undefined };
  }
  const scaledObject = hasKeda
    ? buildScaledObject(agent, autoscaling, prometheusAddress)
    : undefined;
  return { horizontalPodAutoscaler: undefined, scaledObject };
}

function buildHorizontalPodAutoscaler(
  agent: AgentName,
  autoscaling: Autoscaling,
): HorizontalPodAutoscalerObject {
  const { minReplicas, maxReplicas } = autoscaling;
  return {
    metadata: { ...agent, labels: agentLabels(agent.name) },
    spec: {
      scaleTargetRef: targetOf(agent),
      minReplicas,
      maxReplicas,
      metrics: [
        utilization("memory", autoscaling.targetMemoryUtilizationPercentage),
        utilization("cpu", autoscaling.targetCPUUtilizationPercentage),
      ],
      behavior: behaviorOf(autoscaling),
    },
  };
}

/** `undefined`: there is no trigger, because the spec names none and there is no Prometheus for the default one. */
function buildScaledObject(
  agent: AgentName,
  autoscaling: Autoscaling,
  prometheusAddress: string | undefined,
): ScaledObject | undefined {
  const { minReplicas, maxReplicas, keda } = autoscaling;
  const triggers = triggersOf(agent, autoscaling, prometheusAddress);
  if (triggers === undefined) return undefined;
  return {
    metadata: { ...agent, labels: agentLabels(agent.name) },
    spec: {
      scaleTargetRef: targetOf(agent),
      pollingInterval: keda?.pollingInterval ?? DEFAULT_POLLING_SECONDS,
      cooldownPeriod: cooldownSeconds(autoscaling),
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      advanced: { horizontalPodAutoscalerConfig: { behavior: behaviorOf(autoscaling) } },
      triggers,
    },
  };
}

function triggersOf(
  { name, namespace }: AgentName,
  { keda, minReplicas }: Autoscaling,
  serverAddress: string | undefined,
): ScaledObject["spec"]["triggers"] | undefined {
  const given = keda?.triggers ?? [];
  if (given.length > 0) return given.map(({ type, metadata }) => ({ type, metadata }));
  if (serverAddress === undefined) return undefined;
  const query = `sum(omnia_agent_connections_active{namespace="${namespace}",agent="${name}"})`;
  const threshold = String(CONNECTIONS_PER_REPLICA);
  // There is always a replica that has connections or none. A Prometheus that knows of no number does not scrape it, which is to be told.
  const strict = minReplicas > 0 ? { ignoreNullValues: "false" } : {};
  return [{ type: "prometheus", metadata: { serverAddress, query, threshold, ...strict } }];
}

function targetOf({ name }: AgentName): { apiVersion: string; kind: string; name: string } {
  return { apiVersion: API_VERSION, kind: AGENT_RUNTIME, name };
}

function utilization(name: "cpu" | "memory", averageUtilization: number): V2MetricSpec {
  return {
    type: "Resource",
    resource: { name, target: { type: "Utilization", averageUtilization } },
  };
}

function behaviorOf({
  scaleDownStabilizationSeconds: stabilizationWindowSeconds,
}: Autoscaling): NonNullable<V2HorizontalPodAutoscalerSpec["behavior"]> {
  return { scaleDown: { stabilizationWindowSeconds } };
}
