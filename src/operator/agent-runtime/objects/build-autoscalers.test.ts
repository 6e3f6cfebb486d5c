import { describe, expect, it } from "vitest";
import { autoscalingSchema } from "../../../api/autoscaling.ts";
import { buildAutoscalers } from "./build-autoscalers.ts";

const AGENT = { name: "support", namespace: "team" };
const TARGET = {
  apiVersion: "omnia.altairalabs.ai/v1alpha1",
  kind: "AgentRuntime",
  name: "support",
};
const PROMETHEUS = "http://prometheus.monitoring.svc:9090";

function build(
  fields: object,
  { hasKeda = true, prometheusAddress }: { hasKeda?: boolean; prometheusAddress?: string } = {},
) {
  const autoscaling = autoscalingSchema.parse({ enabled: true, ...fields });
  return buildAutoscalers(AGENT, { autoscaling, hasKeda, prometheusAddress });
}

describe("the autoscaler of an agent", () => {
  it("is none where autoscaling is off", () => {
    for (const autoscaling of [undefined, autoscalingSchema.parse({})]) {
      const built = buildAutoscalers(AGENT, {
        autoscaling,
        hasKeda: true,
        prometheusAddress: PROMETHEUS,
      });
      expect(built).toEqual({ horizontalPodAutoscaler: undefined, scaledObject: undefined });
    }
  });

  it("is a HorizontalPodAutoscaler that sets spec.replicas of the AgentRuntime", () => {
    const { horizontalPodAutoscaler, scaledObject } = build({
      minReplicas: 2,
      maxReplicas: 6,
      targetMemoryUtilizationPercentage: 71,
      targetCPUUtilizationPercentage: 91,
      scaleDownStabilizationSeconds: 301,
    });
    expect(scaledObject).toBeUndefined();
    const target = (averageUtilization: number) => ({ type: "Utilization", averageUtilization });
    expect(horizontalPodAutoscaler).toMatchObject({
      metadata: { ...AGENT, labels: { "app.kubernetes.io/instance": "support" } },
      spec: {
        scaleTargetRef: TARGET,
        minReplicas: 2,
        maxReplicas: 6,
        metrics: [
          { type: "Resource", resource: { name: "memory", target: target(71) } },
          { type: "Resource", resource: { name: "cpu", target: target(91) } },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 301 } },
      },
    });
  });

  it("is a ScaledObject with the triggers of the spec", () => {
    const triggers = [{ type: "cron", metadata: { start: "0 8 * * *" } }];
    const { horizontalPodAutoscaler, scaledObject } = build({
      type: "keda",
      minReplicas: 0,
      maxReplicas: 7,
      scaleDownStabilizationSeconds: 60,
      keda: { pollingInterval: 11, cooldownPeriod: 12, triggers },
    });
    expect(horizontalPodAutoscaler).toBeUndefined();
    expect(scaledObject?.spec).toEqual({
      scaleTargetRef: TARGET,
      pollingInterval: 11,
      cooldownPeriod: 12,
      minReplicaCount: 0,
      maxReplicaCount: 7,
      advanced: {
        horizontalPodAutoscalerConfig: {
          behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
        },
      },
      triggers,
    });
  });

  it.each([undefined, {}, { triggers: [] }])(
    "asks the Prometheus of the operator for the connections where the spec names no trigger: %j",
    (keda) => {
      const { scaledObject } = build(
        { type: "keda", scaleDownStabilizationSeconds: 77, keda },
        { prometheusAddress: PROMETHEUS },
      );
      expect(scaledObject?.spec.triggers).toEqual([
        {
          type: "prometheus",
          metadata: {
            serverAddress: PROMETHEUS,
            query: 'sum(omnia_agent_connections_active{namespace="team",agent="support"})',
            threshold: "10",
            ignoreNullValues: "false",
          },
        },
      ]);
      expect(scaledObject?.spec.cooldownPeriod).toBe(keda === undefined ? 77 : 300);
    },
  );

  it("takes it for no load that its Prometheus knows of no connections only where there may be no replica", () => {
    const { scaledObject } = build(
      { type: "keda", minReplicas: 0 },
      { prometheusAddress: PROMETHEUS },
    );
    expect(scaledObject?.spec.triggers[0]?.metadata).not.toHaveProperty("ignoreNullValues");
  });

  it("is none of KEDA without KEDA, and none without a trigger", () => {
    const none = { horizontalPodAutoscaler: undefined, scaledObject: undefined };
    const keda = { triggers: [{ type: "cron", metadata: {} }] };
    expect(build({ type: "keda", keda }, { hasKeda: false })).toEqual(none);
    expect(build({ type: "keda" })).toEqual(none);
  });
});
