import type { ConditionReason } from "../../api/conditions.ts";
import { type Finding, holds } from "../condition.ts";
import { firstCause } from "../first-cause.ts";
import type { ObservedWorkload } from "./available.ts";

/**
 * Finds whether everything is as the newest spec wants it: no reference is broken, and every replica runs that spec and is
 * available. When it is not, the reason and the message are those of the condition to mend first.
 */
export function ready({
  wanted,
  observed,
  availability,
  progress,
  references,
}: {
  wanted: number;
  observed: ObservedWorkload | undefined;
  availability: Finding<"AgentRuntime", "Available">;
  progress: Finding<"AgentRuntime", "Progressing">;
  references: readonly Finding<"AgentRuntime">[];
}): Finding<"AgentRuntime", "Ready"> {
  const type = "Ready";
  const isZeroWanted = availability.reason === "ScaledToZero";
  const findings: Finding<"AgentRuntime">[] = [
    ...references,
    progress,
    ...(isZeroWanted ? [] : [availability]),
  ];
  const broken = findings.filter((finding) => !holds("AgentRuntime", finding));
  const cause = firstCause("AgentRuntime", broken);
  if (cause !== undefined) {
    const reason = cause.reason as ConditionReason<"AgentRuntime", "Ready">;
    return { type, reason, message: cause.message };
  }
  if (progress.reason === "RollingOut") {
    // Some replicas serve. That others fail is no rollout.
    const failure = observed?.failure;
    return failure === undefined
      ? {
          type,
          reason: "RollingOut",
          message: `The newest spec is being rolled out: ${availability.message}`,
        }
      : { type, reason: failure.reason, message: availability.message };
  }
  return isZeroWanted
    ? { type, reason: "ScaledToZero", message: availability.message }
    : {
        type,
        reason: "AsWanted",
        message: `All is as the spec wants it, with ${wanted} of ${wanted} replicas`,
      };
}
