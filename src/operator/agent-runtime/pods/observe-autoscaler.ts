/** Describes the autoscaler of an agent from what the cluster tells of it. */
import type { AgentRuntimeSpec } from "../../../api/agent-runtime.ts";
import type { ResourceRequirements } from "../../../api/fields/pod-fields.ts";
import type { AutoscalerState } from "../../../control/agent-runtime/autoscaling-ready.ts";
import { NO_PROMETHEUS, NO_REQUEST, NUMBER_NOT_SET } from "../../../control/replica-words.ts";
import type {
  HorizontalPodAutoscalerObject,
  ScaledObject,
} from "../../cluster/kubernetes-objects.ts";
import { stableMessage } from "./stable-message.ts";

/** The resources whose utilisation a HorizontalPodAutoscaler of an agent looks at. */
const MEASURED = ["cpu", "memory"] as const;

/** The words of the API server when somebody else wrote at the same moment. KEDA sets the number the next time that it looks. */
const OUTDATED = /the object has been modified/;

export interface AutoscalerObservation {
  readonly spec: Pick<AgentRuntimeSpec, "autoscaling" | "resources">;
  /** What agents have that say nothing of their resources. */
  readonly defaultResources: ResourceRequirements | undefined;
  readonly horizontalPodAutoscaler: HorizontalPodAutoscalerObject | undefined;
  readonly scaledObject: ScaledObject | undefined;
  readonly hasKeda: boolean;
  readonly hasPrometheus: boolean;
  /** Why it could not be written. */
  readonly problem: string | undefined;
}

export function observeAutoscaler(facts: AutoscalerObservation): AutoscalerState {
  const { autoscaling } = facts.spec;
  if (autoscaling?.type === "keda" && !facts.hasKeda) return { state: "not-installed" };
  if (facts.problem !== undefined) return { state: "refused", message: facts.problem };
  if (autoscaling?.type !== "keda") return observeHorizontalPodAutoscaler(facts);
  if (!facts.hasPrometheus && (autoscaling.keda?.triggers ?? []).length === 0) {
    const message = `spec.autoscaling.keda names no trigger, and ${NO_PROMETHEUS} that the default one could ask`;
    return { state: "failing", message };
  }
  return observeScaledObject(facts.scaledObject);
}

function observeScaledObject(scaledObject: ScaledObject | undefined): AutoscalerState {
  if (scaledObject?.metadata.deletionTimestamp !== undefined) {
    const message = "The ScaledObject of the agent is being deleted, and KEDA has not let go of it";
    return { state: "waiting", message };
  }
  const ready = conditionOf(scaledObject, "Ready");
  // One that KEDA has only taken up has no reason yet, unlike one some of whose triggers fail.
  if (ready === undefined || (ready.status === "Unknown" && !ready.reason)) {
    return { state: "waiting" };
  }
  const paused = conditionOf(scaledObject, "Paused");
  if (paused?.status === "True") {
    return { state: "paused", message: "the ScaledObject is paused by an annotation of KEDA" };
  }
  const hasLostRace = ready.reason === NUMBER_NOT_SET && OUTDATED.test(ready.message ?? "");
  if (ready.status !== "True" && !hasLostRace) {
    const state = ready.reason === NUMBER_NOT_SET ? "refused" : "failing";
    return { state, message: wordsOf("ScaledObject", ready) };
  }
  // Its HorizontalPodAutoscaler sets the numbers above one.
  const scaling = conditionOf(scaledObject, "HPAActive");
  return scaling?.status === "False"
    ? { state: "failing", message: wordsOf("ScaledObject", scaling) }
    : { state: "working" };
}

function observeHorizontalPodAutoscaler({
  horizontalPodAutoscaler,
  spec,
  defaultResources,
}: AutoscalerObservation): AutoscalerState {
  const unable = ["AbleToScale", "ScalingActive"]
    .map((type) => conditionOf(horizontalPodAutoscaler, type))
    .find((condition) => condition?.status === "False");
  const missing = missingRequests(spec.resources ?? defaultResources);
  const isActive = conditionOf(horizontalPodAutoscaler, "ScalingActive")?.status === "True";
  if (unable === undefined && (isActive || missing.length === 0)) {
    return { state: isActive ? "working" : "waiting" };
  }
  const words = [
    ...(missing.length === 0 || isActive
      ? []
      : [`${NO_REQUEST} ${missing.join(" and ")}, which a utilisation is a percentage of`]),
    ...(unable === undefined ? [] : [wordsOf("HorizontalPodAutoscaler", unable)]),
  ];
  return { state: "failing", message: words.join("; ") };
}

/** Kubernetes takes a limit for a request where there is no request. */
function missingRequests({ requests, limits }: ResourceRequirements = {}): string[] {
  return MEASURED.filter((name) => requests?.[name] === undefined && limits?.[name] === undefined);
}

type Scaler = Pick<HorizontalPodAutoscalerObject, "status">;

function conditionOf(scaler: Scaler | undefined, type: string) {
  return scaler?.status?.conditions?.find((condition) => condition.type === type);
}

function wordsOf(
  kind: string,
  { reason = "", message = "" }: { reason?: string | undefined; message?: string | undefined },
): string {
  return `the ${kind} says ${reason}: ${stableMessage(message)}`;
}
