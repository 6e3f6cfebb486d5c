import type { AgentRuntimeSpec } from "../../api/agent-runtime.ts";
import type { Autoscaling } from "../../api/autoscaling.ts";
import type { Finding } from "../condition.ts";

/** What is known of the object that scales an agent. The messages hold no id and no time. */
export type ObservedAutoscaler = AutoscalerState & {
  /** The manifest that was applied names `spec.replicas`, and sets it back when it is applied again. */
  readonly isOpposed?: boolean | undefined;
};

export type AutoscalerState =
  | { readonly state: "working" }
  /** It was just made, or nothing in the cluster has taken it up, unless the message says more. */
  | { readonly state: "waiting"; readonly message?: string | undefined }
  /** The cluster has no such kind. */
  | { readonly state: "not-installed" }
  /** It is not there as it is wanted. */
  | { readonly state: "refused"; readonly message: string }
  /** Somebody has told it to do nothing for now. */
  | { readonly state: "paused"; readonly message: string }
  /** It does not know how much load there is. */
  | { readonly state: "failing"; readonly message: string };

/** Finds whether the number of replicas follows the load. Without an autoscaler of any sort, as on one machine, `observed` is undefined. */
export function autoscalingReady(
  { autoscaling }: Pick<AgentRuntimeSpec, "autoscaling">,
  observed: ObservedAutoscaler | undefined,
): Finding<"AgentRuntime", "AutoscalingReady"> {
  const type = "AutoscalingReady";
  if (autoscaling?.enabled !== true) {
    const message = "The spec asks for no autoscaling; spec.replicas says how many replicas run";
    return { type, reason: "NotEnabled", message };
  }
  if (observed === undefined) {
    const message = "Nothing scales on one machine, where spec.autoscaling has no effect";
    return { type, reason: "NotEnabled", message };
  }
  const finding = judge(autoscaling, observed);
  if (observed.isOpposed !== true) return finding;
  return { ...finding, message: `${finding.message}; ${OPPOSED}` };
}

const OPPOSED =
  "the manifest of the agent names spec.replicas, and sets the number back each time that it is applied: leave it out";

function judge(
  autoscaling: Autoscaling,
  observed: AutoscalerState,
): Finding<"AgentRuntime", "AutoscalingReady"> {
  const type = "AutoscalingReady";
  const scaler = scalerOf(autoscaling);
  switch (observed.state) {
    case "working": {
      const { minReplicas, maxReplicas } = autoscaling;
      const message = `The ${scaler} keeps between ${minReplicas} and ${maxReplicas} replicas`;
      return { type, reason: "Active", message };
    }
    case "waiting":
      return {
        type,
        reason: "WaitingForAutoscaler",
        message: observed.message ?? `Nothing acts on a ${scaler} of the agent yet`,
      };
    case "not-installed":
      return {
        type,
        reason: "KedaNotInstalled",
        message: `The cluster has no kind ScaledObject of keda.sh/v1alpha1, which spec.autoscaling.type "keda" needs; install KEDA, or set the type to "hpa"`,
      };
    case "refused":
      return { type, reason: "Refused", message: observed.message };
    case "paused":
      return { type, reason: "Paused", message: observed.message };
    case "failing":
      return { type, reason: "MetricsUnavailable", message: observed.message };
  }
}

/** The kind of the object that scales. */
export function scalerOf({ type }: Autoscaling): "HorizontalPodAutoscaler" | "ScaledObject" {
  return type === "keda" ? "ScaledObject" : "HorizontalPodAutoscaler";
}
