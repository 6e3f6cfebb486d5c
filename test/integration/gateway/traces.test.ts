/** The trace of a client through the front door to an agent, with real connections: `omnia gateway` on a real API server, and `omnia up`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { folderForEachTest, forAllTests } from "../../support/builders/fixtures.ts";
import { GatewayProcess } from "../../support/gateway/gateway-process.ts";
import {
  agentRuntimeOf,
  GATEWAY_USER,
  machineAddress,
  permitGateway,
  sliceOf,
} from "../../support/gateway/routed-agents.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";
import {
  startTraceReceiver,
  type ReceivedSpan,
} from "../../support/observability/trace-receiver.ts";
import { startOmnia } from "../../support/processes/omnia-process.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const HEADERS = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "vendor=1" };
const WITHIN = { timeout: 20_000, interval: 50 };
const AT = { name: "traced", namespace: "team" };
const ADDRESS = "/ws?agent=traced&namespace=team";

const folder = folderForEachTest();

function exportingTo(url: string): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
}

/** One turn over a connection of its own. */
async function askAt(url: string, headers: Record<string, string> = {}): Promise<void> {
  const client = await vi.waitFor(() => ChatClient.connect(url, { headers }), WITHIN);
  expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  client.socket.close();
}

const named = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] =>
  spans.filter((span) => span.name === name);

/** What is told of a turn over a connection with a trace of the client, and of one without. */
function expectJoined(spans: readonly ReceivedSpan[]): void {
  const opened = named(spans, "GET /ws").filter(
    ({ attributes }) => attributes["http.response.status_code"] === 101,
  );
  const joined = opened.find(({ traceId }) => traceId === TRACE);
  expect(joined).toMatchObject({
    kind: 2,
    parentSpanId: SPAN,
    attributes: { "http.request.method": "GET", "gen_ai.agent.name": "traced" },
  });
  const turns = named(spans, "invoke_agent traced");
  expect(turns).toHaveLength(2);
  expect(turns.find(({ traceId }) => traceId === TRACE)).toMatchObject({
    parentSpanId: joined?.spanId,
  });
  // A connection without a trace of the client is none for its turns.
  const own = turns.find(({ traceId }) => traceId !== TRACE);
  expect(own?.parentSpanId ?? "").toBe("");
  expect(opened.map(({ traceId }) => traceId)).not.toContain(own?.traceId);
}

describe("omnia gateway", () => {
  const cluster = forAllTests(
    async () => {
      const started = await KubeCluster.start({
        withControllers: false,
        users: { [GATEWAY_USER]: [] },
      });
      await permitGateway(started.server);
      await started.create({ kind: "Namespace", metadata: { name: AT.namespace } });
      return started;
    },
    (cluster) => cluster.stop(),
    KUBE_API_SERVER_TIMEOUT_MS,
  );

  async function start(gatewayEnv: (collector: string) => Record<string, string>) {
    const receiver = await startTraceReceiver();
    const agent = await TestAgent.start({
      host: machineAddress(),
      config: { agent: AT },
      env: { OMNIA_AGENT_NAME: AT.name, ...exportingTo(receiver.url) },
    });
    const slice = sliceOf(AT, agent.running.facadePort ?? 0);
    await cluster().create(agentRuntimeOf(AT), slice);
    onTestFinished(async () => {
      await cluster().delete(agentRuntimeOf(AT));
      await cluster().delete(slice);
    });
    const gateway = await GatewayProcess.ready(
      await cluster().kubeconfigOf(GATEWAY_USER),
      [],
      gatewayEnv(receiver.url),
    );
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return { receiver, agent, gateway };
  }

  it("stands between the client and the turn in the client's trace, and makes no trace of a connection for its turns", async () => {
    const { receiver, agent, gateway } = await start(exportingTo);
    await askAt(gateway.url + ADDRESS, HEADERS);
    await askAt(gateway.url + ADDRESS);
    await expect(ChatClient.connect(`${gateway.url}/ws?agent=nobody`)).rejects.toThrow("404");
    await agent.running.drain();
    expect(await gateway.end()).toBe(0);
    expectJoined(receiver.spans);
    const [refused] = named(receiver.spans, "GET /ws").filter(
      ({ attributes }) => attributes["http.response.status_code"] === 404,
    );
    // It is the client's own fault.
    expect(refused?.status.code ?? 0).toBe(0);
    expect(receiver.resources).toContainEqual(
      expect.objectContaining({ "service.name": "omnia-gateway" }),
    );
  });

  it("passes the client's trace on as it is where it exports none", async () => {
    const { receiver, agent, gateway } = await start(() => ({}));
    await askAt(gateway.url + ADDRESS, HEADERS);
    await agent.running.drain();
    expect(await gateway.end()).toBe(0);
    expect(receiver.spans.map(({ name }) => name)).toEqual(["invoke_agent traced"]);
    expect(receiver.spans[0]).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
  });
});

describe("omnia up", () => {
  it("does the same, and tells of requests to the HTTP API by their routes", async () => {
    const receiver = await startTraceReceiver();
    const env = exportingTo(receiver.url);
    const manifest = {
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      metadata: AT,
      spec: {
        facade: { handler: "echo" },
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
      },
    };
    await writeFile(join(folder(), "agents.yaml"), JSON.stringify(manifest));
    await using up = startOmnia(
      ["up", "--no-open", "--port", "0", "-f", join(folder(), "agents.yaml")],
      { env: { HOME: folder(), XDG_STATE_HOME: join(folder(), "state"), ...env } },
    );
    const [, url = ""] = await up.shows(/Serving at (http:\S+)/);
    await up.shows(/team\/traced: Running/);
    const address = url.replace("http", "ws") + ADDRESS;
    await askAt(address, HEADERS);
    await askAt(address);
    const path = "/api/v1alpha1/agents/team/traced";
    await (await fetch(`${url}${path}?token=private`, { headers: HEADERS })).text();
    expect((await fetch(`${url}/api/v1alpha1/nowhere`)).status).toBe(404);
    up.kill("SIGTERM");
    expect(await up.ended).toMatchObject({ code: 0 });
    expectJoined(receiver.spans);
    const [asked] = named(receiver.spans, "GET /api/v1alpha1/agents/{namespace}/{name}");
    expect(asked).toMatchObject({
      kind: 2,
      traceId: TRACE,
      parentSpanId: SPAN,
      attributes: { "http.response.status_code": 200 },
    });
    const [lost] = named(receiver.spans, "GET");
    expect(lost?.attributes["http.response.status_code"]).toBe(404);
    expect(receiver.bodies.join("")).not.toContain("private");
  });
});
