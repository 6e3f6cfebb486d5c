/** Describes the autoscaler of an agent from what the cluster tells of it. */
import type { AgentRuntimeSpec } from "../../../api/agent-runtime.ts";
import type { ResourceRequirements } from "../../../api/fields/pod-fields.ts";
import type { AutoscalerState } from "../../../control/agent-runtime/autoscaling-ready.ts";
import { NO_PROMETHEUS, NO_REQUEST } from "../../../control/replica-words.ts";
import type {
  HorizontalPodAutoscalerObject,
  ScaledObject,
} from "../../cluster/kubernetes-objects.ts";
import { stableMessage } from "./stable-message.ts";

/** The resources whose utilisation a HorizontalPodAutoscaler of an agent looks at. */
const MEASURED = ["cpu", "memory"] as const;

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
  const ready = conditionOf(facts.scaledObject, "Ready");
  if (ready === undefined || ready.status === "Unknown") return { state: "waiting" };
  return ready.status === "True"
    ? { state: "working" }
    : { state: "failing", message: wordsOf("ScaledObject", ready) };
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
