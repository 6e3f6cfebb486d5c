/** Describes the replicas of an agent from what the cluster tells of them. */
import type {
  ObservedWorkload,
  Obstacle,
  ReplicaReport,
} from "../../../control/agent-runtime/available.ts";
import { NODE_SILENT, POD_ENDED, PODS_NOT_MADE } from "../../../control/replica-words.ts";
import type { DeploymentObject, PodObject } from "../../cluster/kubernetes-objects.ts";
import { ROLL_HASH_ANNOTATION } from "../../cluster/labels.ts";
import { scalingMarkOf } from "../../cluster/scaling-mark.ts";
import { type ContainerFailure, containerFailure } from "./container-failure.ts";
import { stableMessage } from "./stable-message.ts";

/** The words of the API server about a quota: that it is used up, or that it counts what a pod does not state. */
const QUOTA = /\b(?:exceeded|failed) quota: /;

/** A pod takes the place of one that ended so long before at most. */
const SUCCESSION_MS = 60_000;

export interface WorkloadFacts {
  readonly deployment: DeploymentObject | undefined;
  readonly pods: readonly PodObject[];
  /** What replicas that run and are not ready say of themselves. */
  readonly reports?: readonly ReplicaReport[] | undefined;
  /** Which part of the workload could not be made, and why. */
  readonly problem?: string | undefined;
  /** The Deployment was just written, and the one that is given is the one before. */
  readonly isOutdated?: boolean | undefined;
}

export function observeWorkload(facts: WorkloadFacts): ObservedWorkload | undefined {
  const { deployment, problem, reports, isOutdated = false } = facts;
  if (deployment === undefined && problem === undefined) return undefined;
  const { status = {}, spec } = deployment ?? {};
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, updatedReplicas = 0 } = status;
  const pods = ofLastTemplate(facts.pods.filter(isAlive), deployment);
  const failures = pods.flatMap(podFailures);
  const notMade = problem ?? notMadeBy(deployment);
  const unschedulable = firstOf(pods.map(whyUnschedulable));
  const isMissing = availableReplicas < (spec?.replicas ?? 1);
  const waiting =
    unschedulable ??
    firstOf(pods.map(whyUnreachable)) ??
    (isMissing ? firstOf(justEnded(facts.pods, pods).map(howItEnded)) : undefined);
  const message = notMade ?? firstOf(failures.map((failure) => failure.message));
  const words = waiting ?? firstOf((reports ?? []).map((report) => report.message));
  const failure: ObservedWorkload["failure"] =
    message !== undefined
      ? { reason: "PodsFailing", message }
      : isOverdue(deployment)
        ? {
            reason: "DeadlineExceeded",
            message: words ?? "new replicas did not become ready in time",
          }
        : undefined;
  return {
    replicas,
    readyReplicas,
    availableReplicas,
    ...(isCurrent(deployment) && !isOutdated ? { updatedReplicas } : {}),
    scaledTo: spec?.replicas,
    scalingMark: deployment && scalingMarkOf(deployment),
    failure,
    waiting,
    reports: reports?.length === 0 ? undefined : reports,
    obstacle: obstacleOf({
      notMade,
      image: firstOf(failures.map(({ isOfImage, message: why }) => (isOfImage ? why : undefined))),
      unschedulable,
      // What a replica fails of that ran before is no matter of a rollout.
      failure: hasRolledOut(deployment) ? undefined : failure?.message,
    }),
  };
}

/** What is in the way of the replicas that are wanted, the nearest to its cause first. */
function obstacleOf(words: {
  notMade: string | undefined;
  image: string | undefined;
  unschedulable: string | undefined;
  /** Why a rollout fails. */
  failure: string | undefined;
}): Obstacle | undefined {
  const { notMade, image, unschedulable, failure } = words;
  if (notMade !== undefined) {
    return { reason: QUOTA.test(notMade) ? "Quota" : "RolloutStuck", message: notMade };
  }
  if (image !== undefined) return { reason: "ImagePull", message: image };
  if (unschedulable !== undefined) return { reason: "Unschedulable", message: unschedulable };
  return failure === undefined ? undefined : { reason: "RolloutStuck", message: failure };
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

function podFailures({ status }: PodObject): ContainerFailure[] {
  const { initContainerStatuses = [], containerStatuses = [] } = status ?? {};
  return [...initContainerStatuses, ...containerStatuses].flatMap(
    (container) => containerFailure(container) ?? [],
  );
}

function notMadeBy(deployment: DeploymentObject | undefined): string | undefined {
  const condition = conditionOf(deployment, "ReplicaFailure");
  return condition?.status === "True" && condition.message !== undefined
    ? `${PODS_NOT_MADE}: ${stableMessage(condition.message)}`
    : undefined;
}

function isOverdue(deployment: DeploymentObject | undefined): boolean {
  return conditionOf(deployment, "Progressing")?.reason === "ProgressDeadlineExceeded";
}

/** Whether every replica of the newest template was available at some time. */
function hasRolledOut(deployment: DeploymentObject | undefined): boolean {
  return conditionOf(deployment, "Progressing")?.reason === "NewReplicaSetAvailable";
}

function conditionOf(deployment: DeploymentObject | undefined, type: string) {
  if (!isCurrent(deployment)) return undefined;
  return deployment?.status?.conditions?.find((condition) => condition.type === type);
}

function whyUnschedulable({ status }: PodObject): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.message === undefined) return undefined;
  // The parts about preemption and about claims do not say what is missing.
  const [why = ""] = scheduled.message.split(/ *no new claims to deallocate|,? *preemption: /);
  return `no node takes it: ${stableMessage(why)}`;
}

/** Its containers were ready when they were last heard of, and it counts as not ready all the same. */
function whyUnreachable({ spec, status }: PodObject): string | undefined {
  const conditionOfPod = (type: string) =>
    status?.conditions?.find((condition) => condition.type === type);
  const ready = conditionOfPod("Ready");
  if (ready === undefined || ready.status === "True") return undefined;
  if (conditionOfPod("ContainersReady")?.status !== "True") return undefined;
  if (ready.reason === "ReadinessGatesNotReady") {
    return `a readiness gate of the pod is closed: ${stableMessage(ready.message ?? "")}`;
  }
  return `its node "${spec?.nodeName ?? ""}" ${NODE_SILENT}`;
}

/** The pods that ended when those that are awaited were made in their place. The others have had their successors long since. */
function justEnded(all: readonly PodObject[], alive: readonly PodObject[]): readonly PodObject[] {
  const awaited = alive.filter(({ status }) =>
    (status?.containerStatuses ?? []).every(({ ready }) => !ready),
  );
  return all.filter((pod) => {
    if (isAlive(pod) || pod.metadata.deletionTimestamp !== undefined) return false;
    const endedAt = endOf(pod);
    return awaited.some(
      ({ metadata }) => Math.abs(timeOf(metadata.creationTimestamp) - endedAt) < SUCCESSION_MS,
    );
  });
}

/** A pod that its node did not even begin with has ended when it was made. */
function endOf({ metadata, status }: PodObject): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) =>
    timeOf(state?.terminated?.finishedAt),
  );
  return Math.max(timeOf(metadata.creationTimestamp), ...ends);
}

/** Milliseconds since 1970; 0 for a time that is not told. */
function timeOf(time: string | Date | undefined): number {
  return new Date(time ?? 0).getTime();
}

/**
 * A pod that was ended from outside, such as by an eviction, and stays as a record of that. Of one whose container came to its end in
 * order meanwhile, the kubelet says no more than that.
 */
function howItEnded({ status }: PodObject): string | undefined {
  const { phase, reason, message } = status ?? {};
  if (phase !== "Failed" && phase !== "Succeeded") return undefined;
  return reason === undefined
    ? `${POD_ENDED} by its node; its events say why`
    : `${POD_ENDED} (${reason}): ${stableMessage(message ?? "")}`;
}

/** Takes the first of several in alphabetical order, so that the same pods always lead to the same message. */
function firstOf(messages: readonly (string | undefined)[]): string | undefined {
  return messages.filter((message) => message !== undefined).toSorted()[0];
}
