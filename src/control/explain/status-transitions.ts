/** Finds the changes of a status that are worth an event or a line in a log: conditions that changed, and nothing else. */
import type { Condition } from "../../api/conditions.ts";

export interface StatusTransition {
  /** `Warning` means that somebody has to do something. */
  readonly type: "Normal" | "Warning";
  readonly condition: string;
  readonly reason: string;
  readonly message: string;
}

/** A condition with one of these reasons is not True, and nobody needs to do anything. */
const EXPECTED_REASONS: readonly string[] = [
  "WaitingForPods",
  "WaitingForAutoscaler",
  "Paused",
  "ScaledToZero",
  "Notifying",
  "RollingOut",
];
/** Each change of the spec leads from one of these reasons to the other, while the condition goes on to hold. */
const PASSING_REASONS: readonly string[] = ["RollingOut", "Complete"];

/**
 * A condition is news when its status or its reason has changed. A new condition is news only when it does not hold: nobody
 * needs to hear that everything is well from the start. What two conditions say in the same words is told once.
 */
export function statusTransitions(
  before: readonly Condition[] | undefined,
  after: readonly Condition[] | undefined,
): StatusTransition[] {
  const told = new Set<string>();
  return (after ?? []).flatMap(({ type, status, reason, message }) => {
    const old = before?.find((condition) => condition.type === type);
    const isNews =
      old === undefined ? status !== "True" : old.status !== status || old.reason !== reason;
    const goesOn = old?.status === "True" && status === "True" && PASSING_REASONS.includes(reason);
    const words = `${reason} ${message}`;
    if (!isNews || goesOn || told.has(words)) return [];
    told.add(words);
    const alarming = status !== "True" && !EXPECTED_REASONS.includes(reason);
    return [{ type: alarming ? "Warning" : "Normal", condition: type, reason, message }];
  });
}
