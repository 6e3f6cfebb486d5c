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
const EXPECTED_REASONS: readonly string[] = ["WaitingForPods", "ScaledToZero", "Notifying"];

/**
 * A condition is news when its status or its reason has changed. A new condition is news only when it does not hold: nobody
 * needs to hear that everything is well from the start.
 */
export function statusTransitions(
  before: readonly Condition[] | undefined,
  after: readonly Condition[] | undefined,
): StatusTransition[] {
  return (after ?? []).flatMap(({ type, status, reason, message }) => {
    const old = before?.find((condition) => condition.type === type);
    const isNews =
      old === undefined ? status !== "True" : old.status !== status || old.reason !== reason;
    if (!isNews) return [];
    const alarming = status !== "True" && !EXPECTED_REASONS.includes(reason);
    return [{ type: alarming ? "Warning" : "Normal", condition: type, reason, message }];
  });
}
