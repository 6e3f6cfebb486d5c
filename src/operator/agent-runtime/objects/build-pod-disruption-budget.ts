import { agentSelector } from "../../../control/agent-runtime/agent-selector.ts";
import type { WorkloadDecision } from "../../../control/agent-runtime/workload-decision.ts";
import type { PodDisruptionBudgetObject } from "../../cluster/kubernetes-objects.ts";
import { agentLabels } from "../../cluster/labels.ts";

/** `undefined` for a single replica, because a budget would prevent its node from being drained. */
export function buildPodDisruptionBudget(
  agentRuntime: { readonly name: string; readonly namespace: string },
  { replicas, autoscaling }: WorkloadDecision,
): PodDisruptionBudgetObject | undefined {
  const least = replicas ?? autoscaling?.minReplicas ?? 1;
  if (least <= 1) return undefined;
  return {
    metadata: { ...agentRuntime, labels: agentLabels(agentRuntime.name) },
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: agentSelector(agentRuntime.name) },
      // A replica that is not ready serves nobody, so it may always be evicted.
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}
