import type { AgentRuntime } from "../../api/agent-runtime.ts";
import type { Finding } from "../condition.ts";
import { RUNS_UNREADY } from "../replica-words.ts";
import { keptReplicas, type ScalingMark } from "./decide-replicas.ts";

/** What a replica that runs and is not ready says of itself, in words without secrets. */
export interface ReplicaReport {
  /** The part that is to blame, where it has a condition of its own. */
  readonly about?: "session-store" | "provider" | undefined;
  readonly message: string;
}

/** Why replicas that are wanted do not come to be, in the words of what runs them. */
export interface Obstacle {
  readonly reason: "RolloutStuck" | "Quota" | "Unschedulable" | "ImagePull";
  readonly message: string;
}

/** The replicas as they are observed. */
export interface ObservedWorkload {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  /** The replicas of the newest spec. `undefined` while what runs the replicas has not seen that spec. */
  readonly updatedReplicas?: number | undefined;
  /** The number that an autoscaler wants. */
  readonly scaledTo?: number | undefined;
  /** What is remembered of the time when autoscaling was on. */
  readonly scalingMark?: ScalingMark | undefined;
  readonly obstacle?: Obstacle | undefined;
  /** Each report once, however many replicas say the same. */
  readonly reports?: readonly ReplicaReport[] | undefined;
  /** Why replicas are not there yet although they have not failed, such as a lack of room. */
  readonly waiting?: string | undefined;
  /** `message` has the container's own words, without secrets. */
  readonly failure?:
    | {
        readonly reason: "PodsFailing" | "DeadlineExceeded";
        readonly message: string;
      }
    | undefined;
}

interface AvailabilityFacts {
  observed: ObservedWorkload | undefined;
  wanted: number;
  /** Whether there is a config for replicas to run with. */
  runnable: boolean;
  /** What keeps replicas from starting or from becoming ready, in sentences for people. */
  unmet: readonly string[];
  /** Whether a client that comes through a gateway starts a replica. */
  startsOnDemand: boolean;
}

/** How many replicas there should be. Where an autoscaler sets the number and it is not known, as many as are there. */
export function wantedReplicas(
  { spec }: AgentRuntime,
  observed: ObservedWorkload | undefined,
): number {
  const { autoscaling } = spec;
  if (autoscaling?.enabled !== true) return keptReplicas(spec.replicas, observed?.scalingMark);
  return observed?.scaledTo ?? observed?.replicas ?? autoscaling.minReplicas;
}

/** Finds whether clients can connect. They can when at least one replica is available, whatever else is wrong. */
export function available(facts: AvailabilityFacts): Finding<"AgentRuntime", "Available"> {
  const type = "Available";
  const { observed, wanted, runnable, unmet, startsOnDemand } = facts;
  if (observed !== undefined && observed.availableReplicas > 0) {
    return { type, reason: "ReplicasAvailable", message: describe(observed, wanted) };
  }
  if (!runnable) return { type, reason: "WaitingForReferences", message: unmet.join(". ") };
  if (wanted === 0) {
    const what = startsOnDemand
      ? "No replica is wanted, because nobody uses the agent; a client that comes through the gateway starts one"
      : "No replica is wanted; set spec.replicas to 1 or more to run the agent";
    return { type, reason: "ScaledToZero", message: what };
  }
  if (observed?.failure !== undefined) {
    const { reason, message } = observed.failure;
    return { type, reason, message: `No replica is available: ${message}` };
  }
  if (unmet.length > 0) return { type, reason: "WaitingForReferences", message: unmet.join(". ") };
  const message = `None of ${wanted} replica${wanted === 1 ? "" : "s"} is available yet`;
  const reports = wordsOf(observed?.reports);
  const why = observed?.waiting ?? (reports && `${RUNS_UNREADY}: ${reports}`);
  const said = why === undefined ? message : `${message}: ${why}`;
  return { type, reason: "WaitingForPods", message: said };
}

function describe(observed: ObservedWorkload, wanted: number): string {
  const { replicas, availableReplicas, updatedReplicas = wanted, failure, waiting } = observed;
  const count = `${availableReplicas} of ${wanted} replica${wanted === 1 ? "" : "s"} available`;
  if (failure !== undefined) {
    const others = replicas > availableReplicas ? "; others fail" : ", but";
    return `${count}${others}: ${failure.message}`;
  }
  if (waiting !== undefined) return `${count}; others wait: ${waiting}`;
  const reports = wordsOf(observed.reports);
  if (reports !== undefined) return `${count}; others run and are not ready: ${reports}`;
  return updatedReplicas < wanted ? `${count}; a change is being rolled out` : count;
}

function wordsOf(reports: readonly ReplicaReport[] = []): string | undefined {
  return reports.length === 0 ? undefined : reports.map(({ message }) => message).join("; ");
}
