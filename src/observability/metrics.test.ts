import { describe, expect, it } from "vitest";
import { createAgentMetrics, observeAgentPressure } from "../agent/contracts/agent-metrics.ts";
import { createMetrics } from "./metrics.ts";

describe("metrics of an agent", () => {
  it("have the names and labels that dashboards are built on", async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.setCommonLabels({ agent: "helper", namespace: "team" });
    const agent = createAgentMetrics(metrics, {
      connectionsActive: () => 3,
      sessionsActive: () => 2,
      requestsInflight: () => 1,
    });
    agent.connectionsTotal.add(4);
    agent.requestsTotal.add(1, { status: "success", handler: "echo", version: "" });
    agent.requestDurationSeconds.observe(0.2);
    agent.messagesReceivedTotal.add(1);
    agent.messagesSentTotal.add(2);
    agent.toolCallsTotal.add(1, { tool: "weather", status: "error" });
    agent.providerTokensTotal.add(7, {
      provider: "openai",
      model: "m",
      direction: "input",
      version: "v1",
    });
    agent.timeToFirstChunkSeconds.observe(0.02, { version: "v1" });
    agent.connectionsRefusedTotal.add(2, { reason: "TooManyConnections" });
    agent.requestsRefusedTotal.add(3, { reason: "queue_full" });
    agent.messagesRateLimitedTotal.add(4);
    agent.slowClientsClosedTotal.add(5);
    observeAgentPressure(metrics, { requestsQueued: () => 6, limits: () => ({ maxQueueMs: 7 }) });

    const lines = (await metrics.text())
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#") && !line.includes("_bucket"))
      .map((line) =>
        line.replace(
          /\{(.*)\}/,
          (_, labels: string) => `{${labels.split(",").toSorted().join(",")}}`,
        ),
      );
    expect(lines.toSorted()).toEqual([
      'omnia_agent_connections_active{agent="helper",namespace="team"} 3',
      'omnia_agent_connections_refused_total{agent="helper",namespace="team",reason="TooManyConnections"} 2',
      'omnia_agent_connections_total{agent="helper",namespace="team"} 4',
      'omnia_agent_limit{agent="helper",limit="maxQueueMs",namespace="team"} 7',
      'omnia_agent_messages_rate_limited_total{agent="helper",namespace="team"} 4',
      'omnia_agent_messages_received_total{agent="helper",namespace="team"} 1',
      'omnia_agent_messages_sent_total{agent="helper",namespace="team"} 2',
      'omnia_agent_provider_tokens_total{agent="helper",direction="input",model="m",namespace="team",provider="openai",version="v1"} 7',
      'omnia_agent_request_duration_seconds_count{agent="helper",namespace="team"} 1',
      'omnia_agent_request_duration_seconds_sum{agent="helper",namespace="team"} 0.2',
      'omnia_agent_requests_inflight{agent="helper",namespace="team"} 1',
      'omnia_agent_requests_queued{agent="helper",namespace="team"} 6',
      'omnia_agent_requests_refused_total{agent="helper",namespace="team",reason="queue_full"} 3',
      'omnia_agent_requests_total{agent="helper",handler="echo",namespace="team",status="success",version=""} 1',
      'omnia_agent_sessions_active{agent="helper",namespace="team"} 2',
      'omnia_agent_slow_clients_closed_total{agent="helper",namespace="team"} 5',
      'omnia_agent_time_to_first_chunk_seconds_count{agent="helper",namespace="team",version="v1"} 1',
      'omnia_agent_time_to_first_chunk_seconds_sum{agent="helper",namespace="team",version="v1"} 0.02',
      'omnia_agent_tool_calls_total{agent="helper",namespace="team",status="error",tool="weather"} 1',
    ]);
  });

  it("count by labels, in whatever order these come, and between two readings", async () => {
    const metrics = createMetrics({ processMetrics: false });
    const counter = metrics.counter({ name: "calls_total", help: "Calls", labels: ["tool"] });
    const lines = async () =>
      (await metrics.text()).split("\n").filter((line) => line.startsWith("calls_total{"));
    counter.add(1, { tool: "a" });
    counter.add(1, { tool: "a" });
    counter.add(1, { tool: "b" });
    counter.add(1, { tool: "a" });
    counter.add(0, { tool: "c" });
    const first = ['calls_total{tool="a"} 3', 'calls_total{tool="b"} 1', 'calls_total{tool="c"} 0'];
    expect(await lines()).toEqual(first);
    expect(await lines()).toEqual(first);
    counter.add(2, { tool: "c" });
    expect(await lines()).toEqual([...first.slice(0, 2), 'calls_total{tool="c"} 2']);
  });

  it("hold the process's own metrics when asked to", async () => {
    const metrics = createMetrics({ processMetrics: true });
    expect(await metrics.text()).toContain("process_resident_memory_bytes");
  });

  it("drop the versions of a pack that the config does not have any more, and count on", async () => {
    const metrics = createMetrics({ processMetrics: false });
    const labels = ["kind", "version"] as const;
    const turns = metrics.counter({ name: "turns", help: "-", labels });
    const times = metrics.histogram({ name: "times", help: "-", labels, buckets: [1] });
    const others = metrics.counter({ name: "others", help: "-", labels: ["tool"] });
    for (const version of ["", "old", "new"]) {
      turns.add(1, { kind: "a", version });
      turns.add(1, { kind: "b", version });
      times.observe(0.5, { kind: "a", version });
    }
    others.add(1, { tool: "old" });
    // The last value that was added has not been counted yet.
    turns.add(1, { kind: "b", version: "old" });
    metrics.keepOnly("version", ["new"]);
    const text = await metrics.text();
    expect(text).not.toContain('version="old"');
    expect(text.match(/^turns\{.*$/gm)).toHaveLength(4);
    expect(text.match(/^times_count\{.*$/gm)).toHaveLength(2);
    expect(text).toContain('others{tool="old"} 1');
    turns.add(1, { kind: "a", version: "old" });
    turns.add(1, { kind: "a", version: "new" });
    expect(await metrics.text()).toMatch(/^turns\{kind="a",version="old"\} 1$/m);
    expect(await metrics.text()).toMatch(/^turns\{kind="a",version="new"\} 2$/m);
    metrics.keepOnly("version", []);
    expect(await metrics.text()).not.toMatch(/version="(old|new)"/);
  });
});
