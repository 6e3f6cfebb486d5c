import { hideInText } from "../../control/hide-values.ts";
import type { ReplicaView as ShownReplica } from "../../http-api/agent-views.ts";
import type { ReplicaView } from "../replicas/workload.ts";

const PHASES: Readonly<Record<ReplicaView["state"], string>> = {
  starting: "Starting",
  ready: "Running",
  unready: "NotReady",
  waiting: "Restarting",
  draining: "Draining",
};

/** The replicas of an agent as the HTTP API shows them. */
export function replicaViews(replicas: readonly ReplicaView[]): ShownReplica[] {
  return replicas.map(({ id, state, restarts, startedAt, message, lastWords }) => {
    const words = state === "ready" ? lastWords : (message ?? lastWords);
    return {
      name: `replica-${id}`,
      ready: state === "ready",
      phase: PHASES[state],
      restarts,
      lastWords: words === undefined ? undefined : hideInText(words),
      startedAt: startedAt === undefined ? undefined : new Date(startedAt).toISOString(),
    };
  });
}
