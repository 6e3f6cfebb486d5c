import { describe, expect, it } from "vitest";
import type { Condition } from "../../api/conditions.ts";
import { statusTransitions } from "./status-transitions.ts";

function condition(
  type: string,
  status: Condition["status"],
  reason: string,
  message = "m",
): Condition {
  return { type, status, reason, message, lastTransitionTime: "2026-03-01T12:00:00Z" };
}

describe("statusTransitions", () => {
  it("tells of a condition that changed its status or its reason, and of nothing else", () => {
    const before = [
      condition("A", "True", "Ready"),
      condition("B", "False", "NotFound"),
      condition("C", "False", "Degraded", "one message"),
      condition("D", "False", "NotFound"),
    ];
    const after = [
      condition("A", "False", "NotFound"),
      condition("B", "False", "Invalid"),
      condition("C", "False", "Degraded", "another message"),
      condition("D", "True", "Ready"),
    ];
    expect(statusTransitions(before, after)).toEqual([
      { type: "Warning", condition: "A", reason: "NotFound", message: "m" },
      { type: "Warning", condition: "B", reason: "Invalid", message: "m" },
      { type: "Normal", condition: "D", reason: "Ready", message: "m" },
    ]);
  });

  it("tells of the same words once, and not that a rollout begins and ends while all goes on", () => {
    const before = [condition("Progressing", "True", "Complete"), condition("Ready", "True", "Ok")];
    const quota = [
      condition("Progressing", "False", "Quota", "exceeded quota"),
      condition("Ready", "False", "Quota", "exceeded quota"),
    ];
    expect(statusTransitions(before, quota)).toEqual([
      { type: "Warning", condition: "Progressing", reason: "Quota", message: "exceeded quota" },
    ]);
    const rolling = [
      condition("Progressing", "True", "RollingOut"),
      condition("Ready", "False", "RollingOut", "other words"),
    ];
    expect(statusTransitions(before, rolling)).toMatchObject([
      { type: "Normal", condition: "Ready", reason: "RollingOut" },
    ]);
    expect(statusTransitions(quota, rolling)).toMatchObject([
      { type: "Normal", condition: "Progressing", reason: "RollingOut" },
      { type: "Normal", condition: "Ready", reason: "RollingOut" },
    ]);
  });

  it("tells of a new condition only when it does not hold, and is not alarmed at replicas that start", () => {
    const after = [
      condition("A", "True", "NotNeeded"),
      condition("B", "False", "SecretNotFound"),
      condition("C", "False", "WaitingForPods"),
    ];
    expect(statusTransitions(undefined, after)).toMatchObject([
      { type: "Warning", condition: "B" },
      { type: "Normal", condition: "C" },
    ]);
    expect(statusTransitions(after, undefined)).toEqual([]);
  });
});
