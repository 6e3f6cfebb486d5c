/** The replicas of an agent as the cluster tells of them. */
import type { ObservedWorkload } from "../../control/conditions/available.ts";
import { withoutSecrets } from "../../observability/without-secrets.ts";
import type { DeploymentObject, PodObject } from "../kubernetes-objects.ts";

const MAX_MESSAGE_LENGTH = 500;
/** Why a container cannot be started; to wait will hardly help. */
const START_FAILURES: readonly string[] = [
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "StartError",
  "ContainerCannotRun",
];
const IMAGE_FAILURES: readonly string[] = [
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
];

type ContainerStatus = NonNullable<NonNullable<PodObject["status"]>["containerStatuses"]>[number];
type Terminated = NonNullable<NonNullable<ContainerStatus["lastState"]>["terminated"]>;

/** `problem`: what of the workload could not be made, and why. */
export function observeWorkload(facts: {
  deployment: DeploymentObject | undefined;
  pods: readonly PodObject[];
  problem?: string | undefined;
}): ObservedWorkload | undefined {
  const { deployment, problem } = facts;
  if (deployment === undefined && problem === undefined) return undefined;
  const { status = {} } = deployment ?? {};
  const pods = facts.pods.filter(
    ({ metadata, status: of }) =>
      metadata.deletionTimestamp === undefined && of?.phase !== "Failed",
  );
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
    ...(failure === undefined ? {} : { failure }),
    ...(waiting === undefined ? {} : { waiting }),
  };
}

/** Until the Deployment's controller has seen the last spec, it counts the replicas of the one before. */
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

function containerFailure({ ready, state, lastState }: ContainerStatus): string | undefined {
  if (ready) return undefined;
  const { waiting } = state ?? {};
  const reason = waiting?.reason ?? "";
  if (IMAGE_FAILURES.includes(reason)) return imageFailure(reason, waiting?.message ?? "");
  if (START_FAILURES.includes(reason)) {
    return `the container cannot be started: ${shortened(waiting?.message ?? reason)}`;
  }
  // Between two tries it runs for a moment, and is no better for it.
  const ended = state?.terminated ?? lastState?.terminated;
  return ended === undefined || ended.exitCode === 0 ? undefined : endOf(ended);
}

/** The kubelet tells of the pull that failed and of the pause after it by turns: what they have in common is said. */
function imageFailure(reason: string, message: string): string {
  const cause = message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull: )?/, "");
  const isKnown = cause !== "" && cause !== message ? true : reason !== "ImagePullBackOff";
  return isKnown && cause !== ""
    ? `the image cannot be pulled: ${shortened(cause)}`
    : "the image cannot be pulled";
}

function endOf({ exitCode, reason, message, signal }: Terminated): string {
  if (reason === "OOMKilled") {
    return "the container took more memory than its limit and was ended; raise spec.resources.limits.memory";
  }
  const said = wordsOf(message ?? "");
  const how = signal === undefined || signal === 0 ? `exit code ${exitCode}` : `signal ${signal}`;
  return said === "" ? `the container ended with ${how}` : `${said} (${how})`;
}

/** Of a log of ours the last line that tells of an error, of anything else the last line. */
function wordsOf(message: string): string {
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map(logLine).filter((line) => line !== undefined);
  const error = parsed.findLast(({ level }) => level === "error" || level === "fatal");
  return shortened((error ?? parsed.at(-1))?.text ?? lines.at(-1) ?? "");
}

function logLine(line: string): { level: string; text: string } | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, msg, error } = JSON.parse(line) as {
      level?: unknown;
      msg?: unknown;
      error?: { message?: unknown };
    };
    if (typeof msg !== "string") return undefined;
    const cause = typeof error?.message === "string" ? `: ${error.message}` : "";
    return { level: String(level), text: msg + cause };
  } catch {
    return undefined;
  }
}

function replicaFailure(deployment: DeploymentObject | undefined): string | undefined {
  const condition = conditionOf(deployment, "ReplicaFailure");
  return condition?.status === "True" && condition.message !== undefined
    ? `pods cannot be made: ${shortened(condition.message)}`
    : undefined;
}

function isOverdue(deployment: DeploymentObject | undefined): boolean {
  return conditionOf(deployment, "Progressing")?.reason === "ProgressDeadlineExceeded";
}

function conditionOf(deployment: DeploymentObject | undefined, type: string) {
  return deployment?.status?.conditions?.find((condition) => condition.type === type);
}

function whyWaiting({ status }: PodObject): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  return scheduled?.status === "False" && scheduled.message !== undefined
    ? `no node takes them: ${shortened(scheduled.message)}`
    : undefined;
}

/** Of several the first by the alphabet, so that the same pods always say the same. */
function firstOf(messages: readonly (string | undefined)[]): string | undefined {
  return messages.filter((message) => message !== undefined).toSorted()[0];
}

/** Without what changes from one look to the next. */
function shortened(message: string): string {
  const clean = withoutSecrets(message).trim().replaceAll(/\s+/g, " ");
  return clean.length <= MAX_MESSAGE_LENGTH ? clean : `${clean.slice(0, MAX_MESSAGE_LENGTH)}…`;
}
