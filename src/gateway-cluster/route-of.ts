/** Decides where the connections of an agent go, by what the API server says of it. */
import type { AgentReference, Endpoint, Route } from "../gateway/choose-replica.ts";
import type { KubernetesObject } from "../kube/client/object.ts";
import type { StoredAgentRuntime } from "../operator/cluster/kubernetes-objects.ts";
import { FACADE_PORT_NAME } from "../operator/cluster/labels.ts";

/** The replicas of a Service, or some of them. Only the fields that are used here. */
export interface AgentSlice extends KubernetesObject {
  readonly addressType?: string | undefined;
  readonly ports?: readonly { name?: string | null; port?: number | null }[] | null | undefined;
  readonly endpoints?:
    | readonly {
        readonly addresses?: readonly string[] | undefined;
        readonly conditions?: EndpointConditions | undefined;
        readonly targetRef?: { readonly uid?: string | undefined } | undefined;
      }[]
    | null
    | undefined;
}

interface EndpointConditions {
  /** As Kubernetes says, a condition that is unknown counts as ready. */
  readonly ready?: boolean | null | undefined;
  readonly serving?: boolean | null | undefined;
  readonly terminating?: boolean | null | undefined;
}

/** A Service has so few replicas that more of them in its slices are no replicas of ours. */
export const MAX_ENDPOINTS = 1_000;

/** With one of these reasons of the condition Available there will be no replica soon. */
const HOPELESS_REASONS: readonly string[] = [
  "PodsFailing",
  "DeadlineExceeded",
  "WaitingForReferences",
];

const NOT_READY = "the agent is not ready";

export function routeOf(
  agentRuntime: StoredAgentRuntime | undefined,
  slices: readonly AgentSlice[],
  { isAuthenticated }: { isAuthenticated: boolean },
): Route {
  if (agentRuntime === undefined) return { status: "unknown" };
  const { spec, status } = agentRuntime;
  const allowedOrigins = spec.facade?.allowedOrigins ?? [];
  const endpoints = endpointsOf(slices);
  if (endpoints.length > 0) {
    const affinity = spec.session?.type === "redis" ? "none" : "client";
    return { status: "ready", endpoints, affinity, allowedOrigins };
  }
  const conditions = status?.conditions ?? [];
  const cause =
    conditions.find((one) => one.type === "Available" && one.status !== "True") ??
    conditions.find((one) => one.type === "Ready" && one.status !== "True");
  const reason = cause === undefined ? NOT_READY : `${cause.reason}: ${cause.message}`;
  // A condition names Secrets and packs, which is not for strangers whom the agent itself would not let in.
  const isForAnybody = !isAuthenticated && spec.facade?.auth === undefined;
  const startsOnDemand = canStart(agentRuntime) ? true : undefined;
  return { status: "unavailable", reason, isForAnybody, startsOnDemand, allowedOrigins };
}

/** Whether there is no replica only because nobody uses the agent, or the first one is being started. */
function canStart({ spec, status }: StoredAgentRuntime): boolean {
  const { enabled, type, minReplicas } = spec.autoscaling ?? {};
  if (enabled !== true || type !== "keda" || minReplicas !== 0) return false;
  const available = status?.conditions?.find((one) => one.type === "Available");
  return available === undefined || !HOPELESS_REASONS.includes(available.reason);
}

/** Those that are ready, and those that are about to go and still serve. A replica with several addresses is there once. */
function endpointsOf(slices: readonly AgentSlice[]): Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  // An address of IPv4 stands before one of IPv6.
  const ordered = slices.toSorted((a, b) => orderOf(a).localeCompare(orderOf(b)));
  for (const { addressType, ports, endpoints: listed } of ordered) {
    if (addressType !== "IPv4" && addressType !== "IPv6") continue;
    const port = ports?.find(({ name }) => name === FACADE_PORT_NAME)?.port;
    if (port === undefined || port === null) continue;
    for (const { addresses, conditions = {}, targetRef } of listed ?? []) {
      const host = addresses?.[0];
      if (host === undefined || endpoints.size >= MAX_ENDPOINTS) continue;
      const id = targetRef?.uid ?? `${host}:${port}`;
      const isLeaving = conditions.terminating === true;
      const takesConnections = isLeaving ? conditions.serving === true : (conditions.ready ?? true);
      if (!takesConnections || endpoints.has(id)) continue;
      endpoints.set(id, { id, host, port, isLeaving });
    }
  }
  return [...endpoints.values()];
}

function orderOf({ addressType = "", metadata }: AgentSlice): string {
  return `${addressType} ${metadata.name}`;
}

/** The key under which the slices of an agent are found. */
export function keyOfAgent({ name, namespace }: AgentReference): string {
  return `${namespace}/${name}`;
}
