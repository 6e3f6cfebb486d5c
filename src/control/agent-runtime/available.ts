import type { AgentRuntime } from "../../api/agent-runtime.ts";
import type { Finding } from "../condition.ts";

/** The replicas as they are observed. */
export interface ObservedWorkload {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly updatedReplicas?: number | undefined;
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
}

/** How many replicas there should be. Where an autoscaler sets the number, it is the number of replicas that are there. */
export function wantedReplicas(
  { spec }: AgentRuntime,
  observed: ObservedWorkload | undefined,
): number {
  const { autoscaling } = spec;
  if (autoscaling?.enabled !== true) return spec.replicas;
  return observed?.replicas ?? autoscaling.minReplicas;
}

/** Finds whether clients can connect. They can when at least one replica is available, whatever else is wrong. */
export function available(facts: AvailabilityFacts): Finding<"AgentRuntime", "Available"> {
  const type = "Available";
  const { observed, wanted, runnable, unmet } = facts;
  if (observed !== undefined && observed.availableReplicas > 0) {
    return { type, reason: "ReplicasAvailable", message: describe(observed, wanted) };
  }
  if (!runnable) return { type, reason: "WaitingForReferences", message: unmet.join(". ") };
  if (wanted === 0) {
    const message = "No replica is wanted; set spec.replicas to 1 or more to run the agent";
    return { type, reason: "ScaledToZero", message };
  }
  if (observed?.failure !== undefined) {
    const { reason, message } = observed.failure;
    return { type, reason, message: `No replica is available: ${message}` };
  }
  if (unmet.length > 0) return { type, reason: "WaitingForReferences", message: unmet.join(". ") };
  const message = `None of ${wanted} replica${wanted === 1 ? "" : "s"} is available yet`;
  const why = observed?.waiting === undefined ? "" : `: ${observed.waiting}`;
  return { type, reason: "WaitingForPods", message: message + why };
}

function describe(observed: ObservedWorkload, wanted: number): string {
  const { replicas, availableReplicas, updatedReplicas = wanted, failure, waiting } = observed;
  const count = `${availableReplicas} of ${wanted} replica${wanted === 1 ? "" : "s"} available`;
  if (failure !== undefined) {
    const others = replicas > availableReplicas ? "; others fail" : ", but";
    return `${count}${others}: ${failure.message}`;
  }
  if (waiting !== undefined) return `${count}; others wait: ${waiting}`;
  return updatedReplicas < wanted ? `${count}; a change is being rolled out` : count;
}
