import { describe, expect, it } from "vitest";
import { ApiError } from "../kube/client/api-error.ts";
import { createMetrics } from "../observability/metrics.ts";
import { createOperatorMetrics } from "./operator-metrics.ts";

function someMetrics() {
  const registry = createMetrics({ processMetrics: false });
  return { registry, metrics: createOperatorMetrics(registry, "lease", "host") };
}

describe("metrics of the operator", () => {
  it("count the agents of each phase while the process leads, also of those that have none", async () => {
    const { registry, metrics } = someMetrics();
    expect(await registry.text()).not.toMatch(/^omnia_agentruntimes\{/m);
    metrics.observe({
      controllers: [],
      agentPhases: () => ["Running", "Running", undefined],
      abortedPacks: () => [{ namespace: "team", name: "prompts" }],
    });
    expect(await registry.text()).toContain(
      'omnia_promptpack_canary_aborted{namespace="team",promptpack="prompts"} 1',
    );
    const lines = (await registry.text()).match(/^omnia_agentruntimes\{.*$/gm);
    expect(lines).toEqual([
      'omnia_agentruntimes{phase="Pending"} 1',
      'omnia_agentruntimes{phase="Running"} 2',
      'omnia_agentruntimes{phase="Failed"} 0',
    ]);
    metrics.observe(undefined);
    expect(await registry.text()).not.toMatch(/^omnia_agentruntimes\{/m);
  });

  it("count failures by controller and reason, beside the names of controller-runtime", async () => {
    const { registry, metrics } = someMetrics();
    const error = new ApiError({ status: 409, reason: "Conflict", message: "private" });
    metrics.reconciled("agentruntime", { outcome: "error", seconds: 1, error });
    metrics.reconciled("agentruntime", { outcome: "success", seconds: 1 });
    const text = await registry.text();
    expect(text).toContain(
      'omnia_reconcile_errors_total{controller="agentruntime",reason="Conflict"} 1',
    );
    expect(text).toContain(
      'controller_runtime_reconcile_errors_total{controller="agentruntime"} 1',
    );
    expect(text).not.toContain("private");
  });
});
