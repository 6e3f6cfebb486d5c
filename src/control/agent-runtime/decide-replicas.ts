/**
 * Decides how many replicas the Deployment of an agent has. One number has one owner: `spec.replicas`, which autoscalers, `kubectl scale`
 * and gateways write through the scale subresource. While autoscaling is on, a change of it is carried over, within the bounds of the
 * spec; else the Deployment is left alone.
 */
import type { AgentRuntimeSpec } from "../../api/agent-runtime.ts";
import type { Autoscaling } from "../../api/autoscaling.ts";

/** The time between two looks of an autoscaler at the load, where the spec says nothing of it. */
export const DEFAULT_POLLING_SECONDS = 30;
/** After this time the first client of an agent shows in the metrics that an autoscaler looks at. */
const LEAST_AWAKE_SECONDS = 60;

/** A replica that is not ready for so long after the agent was woken is not waited for any longer: its image would have come by then. */
const LONGEST_START_SECONDS = 300;

/** What is remembered at the Deployment of an agent that autoscaling is on for, or was. */
export interface ScalingMark {
  /** The `spec.replicas` that was carried over last. */
  readonly spec: number;
  /** The replicas that it stands for, where the bounds have made another number of it. */
  readonly replicas?: number | undefined;
  /** Since when the agent is awake, where no load would end its last replica: seconds since 1970. */
  readonly awakeSince?: number | undefined;
}

export interface ScaledDeployment {
  readonly replicas: number;
  readonly mark: ScalingMark | undefined;
  /** Since when a replica takes connections: seconds since 1970. `undefined`: that is not known. */
  readonly servesSince?: number | "not-yet" | undefined;
}

export interface ReplicasDecision {
  /** `undefined`: the Deployment keeps the number that it has. */
  readonly replicas: number | undefined;
  readonly mark: ScalingMark | undefined;
  /** When the decision may be another one although nothing changes. */
  readonly againInMs?: number | undefined;
}

export function decideReplicas(
  { replicas: specified, autoscaling }: Pick<AgentRuntimeSpec, "replicas" | "autoscaling">,
  deployment: ScaledDeployment | undefined,
  nowMs: number,
): ReplicasDecision {
  if (autoscaling?.enabled !== true) return afterwards(specified, deployment?.mark);
  const before = deployment?.mark;
  const current = deployment?.replicas;
  const carried = before?.spec ?? specified;
  const isChanged = current === undefined || specified !== carried;
  // Nobody but the owner of the number ends the last replica.
  const source = isChanged || (current === 0 && specified > 0) ? specified : current;
  const wanted = withinBounds(source, autoscaling);
  const bounded = withinBounds(specified, autoscaling);

  const sleepsAt = awakeUntil(autoscaling, before, deployment?.servesSince);
  if (wanted === 0 && current !== undefined && current > 0 && sleepsAt > nowMs) {
    // An autoscaler hears of the load that woke the agent only after a while, and would end it at once. It is asked again later.
    const mark = { ...before, spec: carried };
    return { replicas: only(1, current), mark, againInMs: sleepsAt - nowMs };
  }
  const wakes = wanted > 0 && (current === undefined || current === 0 || before === undefined);
  const awakeSince = wakes ? Math.floor(nowMs / 1_000) : before?.awakeSince;
  return {
    replicas: only(wanted, current),
    mark: {
      spec: specified,
      replicas: bounded === specified ? undefined : bounded,
      awakeSince: autoscaling.minReplicas === 0 && wanted > 0 ? awakeSince : undefined,
    },
  };
}

/** How many replicas `spec.replicas` stands for while autoscaling is off: as many as there were, until somebody changes it. */
export function keptReplicas(specified: number, mark: ScalingMark | undefined): number {
  return mark?.spec === specified ? (mark.replicas ?? specified) : specified;
}

/** The time after which an agent that nobody uses has no replica, in seconds. */
export function cooldownSeconds({ scaleDownStabilizationSeconds, keda }: Autoscaling): number {
  return keda?.cooldownPeriod ?? scaleDownStabilizationSeconds;
}

function afterwards(specified: number, before: ScalingMark | undefined): ReplicasDecision {
  const replicas = keptReplicas(specified, before);
  const mark = replicas === specified ? undefined : { spec: specified, replicas };
  return { replicas, mark };
}

function awakeUntil(
  autoscaling: Autoscaling,
  mark: ScalingMark | undefined,
  servesSince: ScaledDeployment["servesSince"],
): number {
  // Where no load ends the last replica, whoever writes 0 means it.
  if (mark?.awakeSince === undefined || autoscaling.minReplicas > 0) return 0;
  const { pollingInterval = DEFAULT_POLLING_SECONDS } = autoscaling.keda ?? {};
  const heardAfter = LEAST_AWAKE_SECONDS + pollingInterval;
  const { awakeSince } = mark;
  const until = awakeSince + Math.max(cooldownSeconds(autoscaling), heardAfter);
  // There is nothing to hear of before a client is let in.
  const atLeast =
    servesSince === "not-yet"
      ? awakeSince + LONGEST_START_SECONDS
      : servesSince === undefined
        ? 0
        : servesSince + heardAfter;
  return Math.max(until, atLeast) * 1_000;
}

/** 0 is no number of replicas but the wish for none, which holds whatever the bounds are. */
function withinBounds(replicas: number, { minReplicas, maxReplicas }: Autoscaling): number {
  return replicas === 0 ? 0 : Math.min(Math.max(replicas, minReplicas), maxReplicas);
}

function only(wanted: number, current: number | undefined): number | undefined {
  return wanted === current ? undefined : wanted;
}
