/** The page of metrics, from what the programs register. */
import {
  createAgentMetrics,
  observeAgentBudget,
  observeAgentPressure,
  observeAgentReadiness,
} from "../../src/agent/contracts/agent-metrics.ts";
import { createGatewayMetrics } from "../../src/gateway/gateway-metrics.ts";
import type { Metrics } from "../../src/observability/metrics.ts";
import { createOperatorMetrics } from "../../src/operator/operator-metrics.ts";
import { code, page, sentence, table, type Page } from "./markdown.ts";

interface Description {
  name: string;
  help: string;
  labels?: readonly string[];
}

const NO_COUNTS = {
  connectionsActive: () => 0,
  sessionsActive: () => 0,
  requestsInflight: () => 0,
};

export function metricsPage(): Page {
  const agent = metricsOf((metrics) => {
    createAgentMetrics(metrics, NO_COUNTS);
    observeAgentReadiness(metrics, () => undefined);
    observeAgentBudget(metrics, { limits: () => ({}), tokensToday: () => 0 });
    observeAgentPressure(metrics, { requestsQueued: () => 0, limits: () => ({}) });
  });
  const gateway = metricsOf((metrics) => createGatewayMetrics(metrics));
  const operator = metricsOf((metrics) => createOperatorMetrics(metrics, "", ""));
  return page(
    "reference/metrics.md",
    { title: "Metrics", source: "src/agent/contracts/agent-metrics.ts" },
    [
      "On `/metrics` of the management port (8081), in the text format of Prometheus. Those of the process (`process_…`, `nodejs_…`) are there, too.",
      "## Of an agent",
      "Each also has the labels `agent` and `namespace`.",
      agent,
      "## Of the gateway",
      gateway,
      "## Of the operator",
      "The names are those of controller-runtime, which dashboards know, and our own.",
      operator,
    ],
  );
}

function metricsOf(register: (metrics: Metrics) => void): string {
  const rows: string[][] = [];
  const note = (type: string) => (description: Description) => {
    const { name, help, labels = [] } = description;
    rows.push([code(name), type, labels.map(code).join(", "), sentence(help)]);
  };
  const nothing = (): void => {};
  register({
    counter: (description) => (note("counter")(description), { add: nothing }),
    gauge: (description) => (note("gauge")(description), { set: nothing }),
    observedGauge: note("gauge"),
    observedGauges: note("gauge"),
    histogram: (description) => (note("histogram")(description), { observe: nothing }),
    keepOnly: nothing,
    setCommonLabels: nothing,
    contentType: "",
    text: () => Promise.resolve(""),
  });
  return table(
    ["metric", "type", "labels", "meaning"],
    rows.toSorted(([one = ""], [other = ""]) => one.localeCompare(other)),
  );
}
