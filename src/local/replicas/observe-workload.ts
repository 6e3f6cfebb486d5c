import type { ObservedWorkload } from "../../control/agent-runtime/available.ts";
import type { ReplicaView } from "./workload.ts";

/** Describes the replicas of an agent to a decision, as the Deployment of a cluster describes its pods. */
export function observeWorkload(
  replicas: readonly ReplicaView[],
  revision: string,
): ObservedWorkload {
  const staying = replicas.filter(({ state }) => state !== "draining");
  const ready = staying.filter(({ state }) => state === "ready").length;
  return {
    replicas: staying.length,
    readyReplicas: ready,
    availableReplicas: ready,
    updatedReplicas: staying.filter((replica) => replica.revision === revision).length,
    failure: failureOf(staying),
  };
}

function failureOf(replicas: readonly ReplicaView[]): ObservedWorkload["failure"] {
  const failing = replicas.find(isFailing);
  if (failing !== undefined) {
    return {
      reason: "PodsFailing",
      message: `replica ${failing.id}: ${failing.lastEnd ?? "it ended"}`,
    };
  }
  const overdue = replicas.find((replica) => replica.overdue);
  if (overdue !== undefined) {
    return {
      reason: "DeadlineExceeded",
      message: `replica ${overdue.id}: ${overdue.message ?? "it is not ready"}`,
    };
  }
  return undefined;
}

/** A replica that ran and ended once is started again, and nobody needs to hear of it. */
function isFailing({ state, failures, everReady }: ReplicaView): boolean {
  return state !== "ready" && failures >= (everReady ? 2 : 1);
}
