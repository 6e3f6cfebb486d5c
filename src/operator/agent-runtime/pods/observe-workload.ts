/** Describes the replicas of an agent from what the cluster tells of them. */
import type { ObservedWorkload } from "../../../control/agent-runtime/available.ts";
import type { DeploymentObject, PodObject } from "../../cluster/kubernetes-objects.ts";
import { ROLL_HASH_ANNOTATION } from "../../cluster/labels.ts";
import { containerFailure } from "./container-failure.ts";
import { stableMessage } from "./stable-message.ts";

/** `problem` says which part of the workload could not be made, and why. */
export function observeWorkload(facts: {
  deployment: DeploymentObject | undefined;
  pods: readonly PodObject[];
  problem?: string | undefined;
}): ObservedWorkload | undefined {
  const { deployment, problem } = facts;
  if (deployment === undefined && problem === undefined) return undefined;
  const { status = {} } = deployment ?? {};
  const pods = ofLastTemplate(facts.pods.filter(isAlive), deployment);
  const message = problem ?? firstOf(pods.map(podFailure)) ?? replicaFailure(deployment);
  const waiting = firstOf(pods.map(whyWaiting));
  const failure: ObservedWorkload["failure"] =
    message !== undefined
      ? { reason: "PodsFailing", message }
      : isOverdue(deployment)
        ? {
            reason: "DeadlineExceeded",
            message: waiting ?? "new replicas did not become ready in time",
          }
        : undefined;
  return {
    replicas: status.replicas ?? 0,
    readyReplicas: status.readyReplicas ?? 0,
    availableReplicas: status.availableReplicas ?? 0,
    ...(isCurrent(deployment) ? { updatedReplicas: status.updatedReplicas ?? 0 } : {}),
    failure,
    waiting,
  };
}

/** A pod that ended, for example by an eviction, is replaced, and so is a pod that is being deleted. */
function isAlive({ metadata, status }: PodObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return status?.phase !== "Failed" && status?.phase !== "Succeeded";
}

/** Pods of an older template are about to go. They count until the first pod of the new template exists. */
function ofLastTemplate(
  pods: readonly PodObject[],
  deployment: DeploymentObject | undefined,
): readonly PodObject[] {
  const template = deployment?.spec.template.metadata?.annotations?.[ROLL_HASH_ANNOTATION];
  const current = pods.filter(
    ({ metadata }) => metadata.annotations?.[ROLL_HASH_ANNOTATION] === template,
  );
  return current.length > 0 ? current : pods;
}

/** Until the controller of the Deployment has seen the last spec, its status is about the spec before. */
function isCurrent(deployment: DeploymentObject | undefined): boolean {
  const { metadata, status } = deployment ?? {};
  return (
    status?.observedGeneration !== undefined &&
    status.observedGeneration >= (metadata?.generation ?? 0)
  );
}

function podFailure({ status }: PodObject): string | undefined {
  return firstOf((status?.containerStatuses ?? []).map(containerFailure));
}

function replicaFailure(deployment: DeploymentObject | undefined): string | undefined {
  const condition = conditionOf(deployment, "ReplicaFailure");
  return condition?.status === "True" && condition.message !== undefined
    ? `pods cannot be made: ${stableMessage(condition.message)}`
    : undefined;
}

function isOverdue(deployment: DeploymentObject | undefined): boolean {
  return conditionOf(deployment, "Progressing")?.reason === "ProgressDeadlineExceeded";
}

function conditionOf(deployment: DeploymentObject | undefined, type: string) {
  if (!isCurrent(deployment)) return undefined;
  return deployment?.status?.conditions?.find((condition) => condition.type === type);
}

function whyWaiting({ status }: PodObject): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.message === undefined) return undefined;
  // The part about preemption does not say what is missing.
  const [why = ""] = scheduled.message.split(/,? *preemption: /);
  return `no node takes it: ${stableMessage(why)}`;
}

/** Takes the first of several in alphabetical order, so that the same pods always lead to the same message. */
function firstOf(messages: readonly (string | undefined)[]): string | undefined {
  return messages.filter((message) => message !== undefined).toSorted()[0];
}
