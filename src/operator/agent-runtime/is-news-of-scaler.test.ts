import { describe, expect, it } from "vitest";
import { autoscalingSchema } from "../../api/autoscaling.ts";
import type { ScaledObject } from "../cluster/kubernetes-objects.ts";
import { isNewsOfScaler } from "./is-news-of-scaler.ts";
import { buildAutoscalers } from "./objects/build-autoscalers.ts";

function scaledObject(status: object, metadata: object = {}): ScaledObject {
  const at = { name: "support", namespace: "team" };
  const triggers = [{ type: "cron", metadata: {} }];
  const { scaledObject: built } = buildAutoscalers(at, {
    autoscaling: autoscalingSchema.parse({ enabled: true, type: "keda", keda: { triggers } }),
    hasKeda: true,
    prometheusAddress: undefined,
  });
  if (built === undefined) throw new Error("there is none");
  return { ...built, metadata: { ...built.metadata, ...metadata }, status };
}

const READY = { type: "Ready", status: "True", reason: "ScaledObjectReady", message: "ready" };

describe("news of an autoscaler", () => {
  const before = scaledObject({ conditions: [READY] }, { resourceVersion: "1" });

  it("are that it comes and goes", () => {
    expect(isNewsOfScaler({ before: undefined, after: before })).toBe(true);
    expect(isNewsOfScaler({ before, after: undefined })).toBe(true);
  });

  it("are none of what it measures, and of the times at which it does", () => {
    const measured = {
      lastActiveTime: "2027-01-15T08:00:00Z",
      currentMetrics: [{ type: "External" }],
      conditions: [{ ...READY, lastTransitionTime: "2027-01-15T08:00:00Z" }],
    };
    const after = scaledObject(measured, { resourceVersion: "2" });
    expect(isNewsOfScaler({ before, after })).toBe(false);
  });

  it.each([
    ["a condition", scaledObject({ conditions: [{ ...READY, status: "False" }] })],
    ["the words of a condition", scaledObject({ conditions: [{ ...READY, message: "no" }] })],
    ["another condition", scaledObject({ conditions: [READY, { ...READY, type: "Paused" }] })],
    ["its owners", scaledObject({ conditions: [READY] }, { ownerReferences: [] })],
    [
      "its end",
      scaledObject({ conditions: [READY] }, { deletionTimestamp: "2027-01-15T08:00:00Z" }),
    ],
    ["what it is to do", { ...before, spec: { ...before.spec, maxReplicaCount: 3 } }],
  ])("are a change of %s", (_, after) => {
    expect(isNewsOfScaler({ before, after })).toBe(true);
  });
});
