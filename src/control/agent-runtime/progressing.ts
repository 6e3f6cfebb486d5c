import type { Finding } from "../condition.ts";
import type { ObservedWorkload } from "./available.ts";

interface ProgressFacts {
  observed: ObservedWorkload | undefined;
  wanted: number;
  /** Whether there is a config for replicas to run with. */
  runnable: boolean;
  /** What keeps replicas from starting, in sentences for people. */
  unmet: readonly string[];
}

/** Finds whether the wanted replicas of the newest spec are there, or are about to be. */
export function progressing(facts: ProgressFacts): Finding<"AgentRuntime", "Progressing"> {
  const type = "Progressing";
  const { observed, wanted, runnable, unmet } = facts;
  if (observed?.obstacle !== undefined) return { type, ...observed.obstacle };
  if (!runnable) return { type, reason: "WaitingForReferences", message: unmet.join(". ") };
  if (isComplete(observed, wanted)) {
    const message = `Every replica that is wanted (${wanted}) is available and runs the newest spec`;
    return { type, reason: "Complete", message };
  }
  const message = "The replicas are being brought to what the newest spec wants";
  return { type, reason: "RollingOut", message };
}

/** There are as many replicas as wanted and no more, all of the newest spec and available. */
function isComplete(observed: ObservedWorkload | undefined, wanted: number): boolean {
  if (observed?.updatedReplicas === undefined) return false;
  const { replicas, updatedReplicas, availableReplicas } = observed;
  return replicas <= wanted && updatedReplicas >= wanted && availableReplicas >= wanted;
}
