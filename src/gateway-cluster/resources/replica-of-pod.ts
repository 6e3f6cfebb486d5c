/** Tells of a pod of an agent what people want to know of a replica. The rest of a pod is not kept. */
import { AGENT_CONTAINER } from "../../api/pod-template.ts";
import { hideInText } from "../../control/hide-values.ts";
import type { ReplicaView } from "../../http-api/agent-views.ts";
import { containerFailure } from "../../operator/agent-runtime/pods/container-failure.ts";
import { stableMessage } from "../../operator/agent-runtime/pods/stable-message.ts";
import type { ContainerStatus, PodObject } from "../../operator/cluster/kubernetes-objects.ts";

export function replicaOfPod(pod: PodObject): ReplicaView {
  const { metadata, status } = pod;
  const { initContainerStatuses = [], containerStatuses = [] } = status ?? {};
  const ready =
    metadata.deletionTimestamp === undefined &&
    (status?.conditions ?? []).some(
      (condition) => condition.type === "Ready" && condition.status === "True",
    );
  const agent = containerStatuses.find(({ name }) => name === AGENT_CONTAINER);
  const containers = [...initContainerStatuses, ...containerStatuses];
  const words = ready
    ? endBefore(agent)
    : (containers.map((container) => containerFailure(container)?.message).find(Boolean) ??
      whyNot(status));
  return {
    name: metadata.name,
    ready,
    phase: phaseOf(pod, ready),
    restarts: containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    lastWords: words === undefined || words === "" ? undefined : hideInText(words),
    startedAt: textOf(agent?.state?.running?.startedAt),
  };
}

function phaseOf({ metadata, status }: PodObject, ready: boolean): string {
  if (metadata.deletionTimestamp !== undefined) return "Draining";
  if (ready) return "Running";
  const { phase, initContainerStatuses = [], containerStatuses = [] } = status ?? {};
  if (phase === "Failed" || phase === "Succeeded") return phase;
  const containers = [...initContainerStatuses, ...containerStatuses];
  if (containers.some((container) => containerFailure(container) !== undefined)) {
    return containers.some(({ restartCount }) => restartCount > 0) ? "Restarting" : "NotReady";
  }
  const hasStarted = containerStatuses.some(({ started }) => started === true);
  return hasStarted ? "NotReady" : "Starting";
}

/** How the process before the one that runs came to its end. */
function endBefore(agent: ContainerStatus | undefined): string | undefined {
  if (agent?.lastState?.terminated === undefined) return undefined;
  const { name, restartCount, lastState } = agent;
  return containerFailure({ name, restartCount, lastState, ready: false })?.message;
}

/** Why a pod has no container that could say it. */
function whyNot(status: PodObject["status"]): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") return stableMessage(scheduled.message ?? "");
  if (status?.phase !== "Failed" || status.reason === undefined) return undefined;
  return stableMessage(`${status.reason}: ${status.message ?? ""}`);
}

/** A time is a text in JSON, whatever the type of the library says. */
function textOf(time: Date | string | undefined): string | undefined {
  return time === undefined ? undefined : String(time);
}
