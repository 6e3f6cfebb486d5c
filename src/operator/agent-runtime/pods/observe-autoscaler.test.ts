import { describe, expect, it } from "vitest";
import { autoscalingSchema } from "../../../api/autoscaling.ts";
import { buildAutoscalers } from "../objects/build-autoscalers.ts";
import { observeAutoscaler, type AutoscalerObservation } from "./observe-autoscaler.ts";

const RESOURCES = { requests: { cpu: "50m", memory: "128Mi" } };
const TRIGGERS = [{ type: "cron", metadata: {} }];

type Conditions = { type: string; status: string; reason?: string; message?: string }[];

function observe(
  fields: object,
  {
    conditions,
    ...given
  }: Partial<AutoscalerObservation> & { conditions?: Conditions | null } = {},
) {
  const autoscaling = autoscalingSchema.parse({ enabled: true, ...fields });
  const { horizontalPodAutoscaler, scaledObject } = buildAutoscalers(
    { name: "support", namespace: "team" },
    { autoscaling, hasKeda: true, prometheusAddress: undefined },
  );
  const status = conditions === undefined ? undefined : { conditions };
  return observeAutoscaler({
    spec: { autoscaling, resources: RESOURCES },
    defaultResources: undefined,
    horizontalPodAutoscaler: horizontalPodAutoscaler && { ...horizontalPodAutoscaler, status },
    scaledObject: scaledObject && { ...scaledObject, status },
    hasKeda: true,
    hasPrometheus: false,
    problem: undefined,
    ...given,
  });
}

const active = { type: "ScalingActive", status: "True", reason: "ValidMetricFound" };
const blind = {
  type: "ScalingActive",
  status: "False",
  reason: "FailedGetResourceMetric",
  message: "unable to fetch metrics from resource metrics API",
};

describe("a HorizontalPodAutoscaler", () => {
  it("is waited for until it says something", () => {
    expect(observe({})).toEqual({ state: "waiting" });
    expect(observe({}, { conditions: null })).toEqual({ state: "waiting" });
    expect(observe({}, { horizontalPodAutoscaler: undefined })).toEqual({ state: "waiting" });
  });

  it("works when it has metrics", () => {
    expect(observe({}, { conditions: [active] })).toEqual({ state: "working" });
  });

  it("tells in its own words why it has none, without the names of pods", () => {
    const message = "did not receive metrics for pod support-7d9f8c4b5-x2x9z";
    expect(observe({}, { conditions: [{ ...blind, message }] })).toEqual({
      state: "failing",
      message:
        "the HorizontalPodAutoscaler says FailedGetResourceMetric: did not receive metrics for pod …",
    });
    const unable = { type: "AbleToScale", status: "False", reason: "FailedGetScale", message: "m" };
    expect(observe({}, { conditions: [unable, active] })).toMatchObject({ state: "failing" });
  });

  it("fails from the start where replicas request nothing, and says which", () => {
    const resources = { requests: { cpu: "1" } };
    const autoscaling = autoscalingSchema.parse({ enabled: true });
    const spec = { autoscaling, resources };
    expect(observe({}, { spec })).toEqual({
      state: "failing",
      message: "the replicas request no memory, which a utilisation is a percentage of",
    });
    const nothing = { autoscaling, resources: undefined };
    const { message } = observe({}, { spec: nothing, conditions: [blind] }) as { message: string };
    expect(message).toContain("the replicas request no cpu and memory");
    expect(message).toContain("unable to fetch metrics");
  });

  it("counts what the chart or a limit gives for a request, and a limit range that it does not see", () => {
    const autoscaling = autoscalingSchema.parse({ enabled: true });
    const spec = { autoscaling, resources: undefined };
    expect(observe({}, { spec, defaultResources: RESOURCES })).toEqual({ state: "waiting" });
    const limits = { limits: { cpu: "1", memory: "1Gi" } };
    const limited = { autoscaling, resources: limits };
    expect(observe({}, { spec: limited })).toEqual({ state: "waiting" });
    expect(observe({}, { spec, conditions: [active] })).toEqual({ state: "working" });
  });

  it("is told to be refused when it could not be written", () => {
    const message = "the API server refuses HorizontalPodAutoscaler";
    expect(observe({}, { problem: message, conditions: [active] })).toEqual({
      state: "refused",
      message,
    });
  });
});

describe("a ScaledObject", () => {
  const keda = { type: "keda", keda: { triggers: TRIGGERS } };

  it("cannot be where KEDA is not", () => {
    expect(observe(keda, { hasKeda: false })).toEqual({ state: "not-installed" });
  });

  it("needs a trigger", () => {
    expect(observe({ type: "keda" })).toMatchObject({
      state: "failing",
      message: expect.stringContaining("the operator knows no Prometheus") as string,
    });
    expect(observe({ type: "keda" }, { hasPrometheus: true })).toEqual({ state: "waiting" });
  });

  const ready = { type: "Ready", status: "True", reason: "ScaledObjectReady" };
  const notSet = { type: "Ready", status: "False", reason: "ErrorScalingTarget" };
  const lostRace = "Operation cannot be fulfilled: the object has been modified; please try again";
  it.each<[string, Conditions | undefined, string]>([
    ["waited for", undefined, "waiting"],
    ["waited for", [{ type: "Ready", status: "Unknown" }], "waiting"],
    ["at work", [{ type: "Ready", status: "True" }], "working"],
    ["failing", [{ type: "Ready", status: "False", reason: "R", message: "m" }], "failing"],
    ["failing", [{ type: "Ready", status: "Unknown", reason: "PartialTriggerError" }], "failing"],
    ["failing", [ready, { type: "HPAActive", status: "False", reason: "R" }], "failing"],
    ["at work", [ready, { type: "HPAActive", status: "True", reason: "R" }], "working"],
    ["paused", [ready, { type: "Paused", status: "True", reason: "R" }], "paused"],
    ["at work", [ready, { type: "Paused", status: "False" }], "working"],
    ["refused", [{ ...notSet, message: "agentruntimes/scale is forbidden" }], "refused"],
    ["at work", [{ ...notSet, message: lostRace }], "working"],
  ])("is %s: %j", (_, conditions, state) => {
    expect(observe(keda, conditions === undefined ? {} : { conditions })).toMatchObject({ state });
  });

  it("does nothing any more when it is being deleted", () => {
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    const metadata = { name: "support", namespace: "team", deletionTimestamp };
    const { scaledObject } = buildAutoscalers(metadata, {
      autoscaling: autoscalingSchema.parse({ enabled: true, ...keda }),
      hasKeda: true,
      prometheusAddress: undefined,
    });
    const deleted = scaledObject && { ...scaledObject, metadata, status: { conditions: [ready] } };
    expect(observe(keda, { scaledObject: deleted })).toEqual({
      state: "waiting",
      message: "The ScaledObject of the agent is being deleted, and KEDA has not let go of it",
    });
  });
});
