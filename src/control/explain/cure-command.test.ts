import { describe, expect, it } from "vitest";
import { anAgentRuntime } from "../../../test/support/builders/resources.ts";
import { explain } from "./explain.ts";

const spec = {
  autoscaling: { enabled: true, type: "keda" },
  provider: { name: "openai", model: "m", apiKeySecretRef: { name: "model", key: "api-key" } },
  session: { type: "redis", storeRef: { name: "redis", key: "url" } },
  source: { configMapRef: { name: "pack", key: "pack.json" } },
};

function commandFor(type: string, reason: string, message = "it is so"): string | undefined {
  const resource = {
    kind: type === "SourceValid" ? ("PromptPack" as const) : ("AgentRuntime" as const),
    metadata: { name: "support", namespace: "agents" },
    spec,
    status: { phase: "Pending", conditions: [{ type, status: "False", reason, message }] },
  };
  expect(explain(resource, { place: "local" }).command).toBeUndefined();
  return explain(resource, { place: "cluster" }).command;
}

describe("the command of a cure in a cluster", () => {
  it.each([
    [
      "ProviderReady",
      "SecretNotFound",
      "kubectl create secret generic model --namespace agents --from-literal=api-key=VALUE",
    ],
    [
      "SessionStoreReady",
      "SecretKeyMissing",
      `kubectl patch secret redis --namespace agents --patch '{"stringData":{"url":"VALUE"}}'`,
    ],
    [
      "Available",
      "ScaledToZero",
      "kubectl scale agentruntime support --namespace agents --replicas=1",
    ],
    [
      "SourceValid",
      "ConfigMapNotFound",
      "kubectl create configmap pack --namespace agents --from-file=pack.json",
    ],
  ])("for %s %s makes what is missing", (type, reason, command) => {
    expect(commandFor(type, reason)).toBe(command);
  });

  it("reads the log of replicas that have one, and the events of others", () => {
    expect(commandFor("Available", "PodsFailing", "the process ended with 1")).toMatch(
      /^kubectl logs .*instance=support/,
    );
    expect(commandFor("Available", "PodsFailing", 'image "x" cannot be pulled')).toMatch(
      /^kubectl describe pods .*instance=support/,
    );
  });

  it("shows the events of what scales, where its conditions do not say which trigger fails and why", () => {
    const failing = "the ScaledObject says TriggerError: they are not working";
    expect(commandFor("AutoscalingReady", "MetricsUnavailable", failing)).toBe(
      "kubectl describe scaledobject support --namespace agents",
    );
    for (const words of ["the replicas request no cpu", "and the operator knows no Prometheus"])
      expect(commandFor("AutoscalingReady", "MetricsUnavailable", words)).toBeUndefined();
  });

  it("is none where no one command helps, or where its names are not known", () => {
    expect(commandFor("ToolRegistryReady", "Degraded")).toBeUndefined();
    const { kind, metadata } = anAgentRuntime();
    const conditions = [
      { type: "ProviderReady", status: "False", reason: "SecretNotFound", message: "no" },
    ];
    const resource = { kind, metadata, spec: {}, status: { conditions } };
    expect(explain(resource, { place: "cluster" }).command).toBeUndefined();
  });
});
