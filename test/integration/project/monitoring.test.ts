/** The alerts and dashboards of the chart, against a real Prometheus that scrapes what they are about. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { ApiError } from "../../../src/kube/client/api-error.ts";
import { Management } from "../../../src/observability/management.ts";
import { createMetrics, type Metrics } from "../../../src/observability/metrics.ts";
import { createOperatorMetrics } from "../../../src/operator/operator-metrics.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { findHelm, renderChart } from "../../support/kubernetes/helm-chart.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import {
  checkRules,
  PROMETHEUS_TIMEOUT_MS,
  startPrometheus,
} from "../../support/observability/prometheus.ts";
import { startBusyPrograms } from "../../support/observability/busy-programs.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

const FOLDER = join(import.meta.dirname, "../../../charts/omnia/monitoring");
const RULES = readFileSync(join(FOLDER, "alerts.yaml"), "utf8");

/** They show something only where evals run, or where a replica is crowded. */
const MAY_BE_EMPTY = /omnia_agent_eval|omnia_agent_requests_refused_total/;

interface Rule {
  readonly alert: string;
  readonly expr: string;
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const alerts = (parse(RULES) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
const dashboards = readdirSync(FOLDER)
  .filter((file) => file.endsWith("-dashboard.json"))
  .map((file) => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Dashboard);

async function served(metrics: Metrics): Promise<number> {
  const management = new Management({
    host: "127.0.0.1",
    metrics,
    reasons: () => Promise.resolve([]),
  });
  onTestFinished(() => management.close());
  return await management.listen(0);
}

/** A replica that has answered with a tool, has failed, was refused, and has said that it is ready. */
async function aBusyAgent(): Promise<number> {
  const tool = await startHttpServer((_, response) => void response.end("{}"));
  onTestFinished(() => tool.close());
  const model = await startModelServer();
  onTestFinished(() => model.close());
  model.mock.on({ userMessage: "fail" }, { error: { message: "no", type: "server" }, status: 401 });
  model.mock.on(
    { hasToolResult: false },
    { toolCalls: [{ id: "call_1", name: "get-weather", arguments: '{"city":"Oslo"}' }] },
  );
  model.mock.on({ hasToolResult: true }, { content: "Fine." });
  const agent = await TestAgent.start({
    config: aRuntimeConfig({
      provider: { baseURL: `${model.url}/v1`, apiKeyFile: "key" },
      tools: [aTool({ url: tool.url })],
    }),
    files: { key: "sk-test" },
  });
  const client = await agent.connect("/");
  client.send({ type: "message", content: "How is the weather?" });
  await client.nextOf("done");
  client.send({ type: "message", content: "fail" });
  await client.nextOf("error");
  await expect(agent.connect("/?agent=another")).rejects.toThrow("404");
  await agent.management("/readyz");
  return agent.running.managementPort;
}

/** An operator whose only trouble is a version of a pack that was taken back. */
async function anOperatorWithAbort(): Promise<number> {
  const registry = createMetrics({ processMetrics: true });
  const metrics = createOperatorMetrics(registry, "omnia-operator", "127.0.0.1:6443");
  metrics.setLeading(true);
  metrics.observe({
    controllers: [
      {
        name: "agentruntime",
        workers: 4,
        activeWorkers: 1,
        queue: { depth: 2, unfinishedSeconds: 0, longestSeconds: 0 },
      } as never,
    ],
    agentPhases: () => ["Running", "Failed"],
    abortedPacks: () => [{ namespace: "team", name: "prompts" }],
  });
  const error = new ApiError({ status: 409, reason: "Conflict", message: "" });
  metrics.reconciled("agentruntime", { outcome: "success", seconds: 0.1 });
  metrics.reconciled("agentruntime", { outcome: "error", seconds: 0.1, error });
  metrics.responded({ method: "GET", status: 200 });
  return await served(registry);
}

/** As Grafana fills them in. */
function filledIn(expression: string): string {
  return expression
    .replaceAll("$__rate_interval", "1m")
    .replaceAll(/\$(?:namespace|agent)\b/g, ".*");
}

/** What an alert compares, without the comparison, which is false as long as all is well. */
function compared(expression: string): string {
  return expression.trim().replace(/\s*(?:>|==)\s*[\d.]+$/, "");
}

describe("alerts and dashboards", { timeout: PROMETHEUS_TIMEOUT_MS }, () => {
  it("ask for what agents, the operator and gateways really have", async () => {
    const targets = { agent: await aBusyAgent(), ...(await startBusyPrograms()) };
    await using prometheus = await startPrometheus({ targets, rules: RULES });
    // A rate needs two samples of each.
    await expect
      .poll(
        async () => {
          const scraped = await prometheus
            .query("min(count_over_time(up[1m])) >= 3 and min(up) == 1")
            .catch(() => []);
          return scraped.length;
        },
        { timeout: 60_000 },
      )
      .toBe(1);
    const expressions = [
      ...alerts.map(({ alert, expr }) => [alert, compared(expr)] as const),
      ...dashboards.flatMap(({ uid, panels }) =>
        panels.flatMap(({ title, targets: asked }) =>
          asked.map(({ expr }) => [`${uid}: ${title}`, filledIn(expr)] as const),
        ),
      ),
    ];
    const empty: string[] = [];
    for (const [name, expression] of expressions) {
      const samples = await prometheus.query(expression);
      if (samples.length === 0 && !MAY_BE_EMPTY.test(expression))
        empty.push(`${name}: ${expression}`);
    }
    expect(empty).toEqual([]);
    for (const { expr } of alerts) await prometheus.query(expr);
  });

  it("fire where they should, and only there", async () => {
    const targets = { agent: await aBusyAgent(), operator: await anOperatorWithAbort() };
    await using prometheus = await startPrometheus({ targets, rules: RULES });
    await expect
      .poll(() => prometheus.query('ALERTS{alertstate="firing"}').catch(() => []), {
        timeout: 60_000,
      })
      .toMatchObject([
        { metric: { alertname: "OmniaCanaryAborted", namespace: "team", promptpack: "prompts" } },
      ]);
    expect(await checkRules(RULES)).toContain(`${alerts.length} rules found`);
  });

  it("have panels of their own, and names that tell them apart", () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
    for (const { panels } of dashboards) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    }
  });
});

describe("monitoring in the chart", { timeout: KUBE_API_SERVER_TIMEOUT_MS }, () => {
  const kinds = ["PodMonitor", "PrometheusRule", "ServiceMonitor"];

  it("is off at first", async () => {
    const manifests = await renderChart(findHelm());
    expect(manifests.filter(({ kind }) => kinds.includes(kind as string))).toEqual([]);
    expect(JSON.stringify(manifests)).not.toContain("grafana_dashboard");
    expect(JSON.stringify(manifests)).not.toContain("otel");
  });

  it("is made of the files that are tested here", async () => {
    const manifests = await renderChart(
      findHelm(),
      "--set=metrics.podMonitor.enabled=true,metrics.prometheusRule.enabled=true",
      "--set=metrics.dashboards.enabled=true,gateway.enabled=true",
      "--set=metrics.prometheusRule.labels.release=prometheus",
      "--set=agent.otel.endpoint=http://collector:4318",
    );
    const of = (wanted: string) => manifests.filter(({ kind }) => kind === wanted);
    expect(of("PodMonitor").map(({ spec }) => spec.podMetricsEndpoints[0].port)).toEqual([
      "management",
      "metrics",
    ]);
    expect(of("PrometheusRule")).toMatchObject([
      { metadata: { labels: { release: "prometheus" } }, spec: parse(RULES) },
    ]);
    const configMaps = of("ConfigMap").filter(
      ({ metadata }) => metadata.labels["grafana_dashboard"] === "1",
    );
    const shown = configMaps.flatMap(({ data }) =>
      Object.values(data as Record<string, string>).map((text) => JSON.parse(text) as Dashboard),
    );
    expect(shown).toEqual(dashboards);
    expect(JSON.stringify(of("Deployment"))).toContain(
      JSON.stringify(
        JSON.stringify({ otel: { endpoint: "http://collector:4318" } }).slice(1, -1),
      ).slice(1, -1),
    );
  });

  it("follows agents of the namespaces that are looked after, and no others", async () => {
    const manifests = await renderChart(
      findHelm(),
      "--set=metrics.podMonitor.enabled=true",
      "--set=watchNamespaces={team-a,team-b}",
    );
    const [monitor] = manifests.filter(({ kind }) => kind === "PodMonitor");
    expect(monitor.spec.namespaceSelector).toEqual({ matchNames: ["team-a", "team-b"] });
  });
});
