/** What is worth an event or a line in a log: conditions that changed, and nothing else. */
import type { Condition } from "../../api/conditions.ts";

export interface StatusTransition {
  /** `Warning`: somebody has to do something. */
  readonly type: "Normal" | "Warning";
  readonly condition: string;
  readonly reason: string;
  readonly message: string;
}

/** Not True, and still nothing to be alarmed at. */
const EXPECTED_REASONS: readonly string[] = ["WaitingForPods", "ScaledToZero", "Notifying"];

/**
 * A condition is told of when its status or its reason changed. One that is new is told of when it does not hold: that
 * everything is well from the start is no news.
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
