import type {
  ObservedWorkload,
  Obstacle,
  ReplicaReport,
} from "../../control/agent-runtime/available.ts";
import type { ReplicaView } from "./workload.ts";

/** Describes the replicas of an agent to a decision, as the Deployment of a cluster describes its pods. */
export function observeWorkload(
  replicas: readonly ReplicaView[],
  revision: string,
): ObservedWorkload {
  const staying = replicas.filter(({ state }) => state !== "draining");
  const ready = staying.filter(({ state }) => state === "ready").length;
  const failure = failureOf(staying);
  return {
    replicas: staying.length,
    readyReplicas: ready,
    availableReplicas: ready,
    updatedReplicas: staying.filter((replica) => replica.revision === revision).length,
    failure,
    obstacle: obstacleOf(staying, failure),
    reports: reportsOf(staying),
  };
}

/** A replica that was never ready keeps its revision from being rolled out. One that was ready fails by itself. */
function obstacleOf(
  replicas: readonly ReplicaView[],
  failure: ObservedWorkload["failure"],
): Obstacle | undefined {
  const isNew = replicas.some(
    (replica) => !replica.everReady && (isFailing(replica) || replica.overdue),
  );
  return isNew && failure !== undefined
    ? { reason: "RolloutStuck", message: failure.message }
    : undefined;
}

/** A replica that has just been started is about to become ready, and says nothing that anybody should hear. */
function reportsOf(replicas: readonly ReplicaView[]): readonly ReplicaReport[] | undefined {
  const reports = replicas
    .filter(({ state, slow }) => state === "unready" || (state === "starting" && slow))
    .flatMap(({ reasons = [] }) => reasons);
  const byWords = new Map(reports.map((report) => [JSON.stringify(report), report]));
  return byWords.size === 0 ? undefined : [...byWords.values()];
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
