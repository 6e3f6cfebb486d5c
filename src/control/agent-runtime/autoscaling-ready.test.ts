import { describe, expect, it } from "vitest";
import { autoscalingSchema } from "../../api/autoscaling.ts";
import { autoscalingReady, type ObservedAutoscaler } from "./autoscaling-ready.ts";

function found(fields: object | undefined, observed?: ObservedAutoscaler): [string, string] {
  const autoscaling = fields && autoscalingSchema.parse(fields);
  const { reason, message } = autoscalingReady({ autoscaling }, observed);
  return [reason, message];
}
const HPA = { enabled: true, minReplicas: 2, maxReplicas: 5 };
const KEDA = { enabled: true, type: "keda" };

describe("AutoscalingReady", () => {
  it("holds where no autoscaling is wanted", () => {
    for (const fields of [undefined, {}, { enabled: false }]) {
      expect(found(fields, { state: "waiting" })[0]).toBe("NotEnabled");
    }
  });

  it("says on one machine that autoscaling has no effect there", () => {
    const [reason, message] = found(HPA);
    expect(reason).toBe("NotEnabled");
    expect(message).toContain("has no effect");
  });

  it.each<[string, object, ObservedAutoscaler, string, string]>([
    ["works", HPA, { state: "working" }, "Active", "between 2 and 5"],
    ["waits", HPA, { state: "waiting" }, "WaitingForAutoscaler", "HorizontalPodAutoscaler"],
    ["waits for KEDA", KEDA, { state: "waiting" }, "WaitingForAutoscaler", "ScaledObject"],
    ["lacks KEDA", KEDA, { state: "not-installed" }, "KedaNotInstalled", "install KEDA"],
    ["is refused", HPA, { state: "refused", message: "no" }, "Refused", "no"],
    ["is paused", KEDA, { state: "paused", message: "by whom" }, "Paused", "by whom"],
    ["fails", HPA, { state: "failing", message: "why" }, "MetricsUnavailable", "why"],
  ])("tells of an autoscaler that %s", (_, fields, observed, reason, words) => {
    const [foundReason, message] = found(fields, observed);
    expect(foundReason).toBe(reason);
    expect(message).toContain(words);
  });

  it("tells of a manifest that works against the autoscaler", () => {
    const told = (observed: ObservedAutoscaler): string => found(HPA, observed)[1];
    for (const isOpposed of [undefined, false]) {
      expect(told({ state: "working", isOpposed })).not.toContain("manifest");
    }
    expect(found(HPA, { state: "working", isOpposed: true })).toEqual([
      "Active",
      "The HorizontalPodAutoscaler keeps between 2 and 5 replicas; the manifest of the agent names spec.replicas, and sets the number back each time that it is applied: leave it out",
    ]);
    const failing = told({ state: "failing", message: "why", isOpposed: true });
    expect(failing).toMatch(/^why; the manifest of the agent names spec\.replicas/);
  });
});
