/** `omnia gateway` and agents that have no replica because nobody uses them, on a real API server. The operator's part is played. */
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { GatewayProcess } from "../../support/gateway/gateway-process.ts";
import {
  agentRuntimeOf,
  type AgentName,
  GATEWAY_USER,
  machineAddress,
  permitGateway,
  sliceOf,
} from "../../support/gateway/routed-agents.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";

const WITHIN = { timeout: 60_000, interval: 20 };
const NAMESPACE = "team";
const ON_DEMAND = {
  replicas: 0,
  autoscaling: { enabled: true, type: "keda", minReplicas: 0 },
};

const cluster = forAllTests(
  async () => {
    const started = await KubeCluster.start({
      withControllers: false,
      users: { [GATEWAY_USER]: [] },
    });
    await permitGateway(started.server);
    await started.create({ kind: "Namespace", metadata: { name: NAMESPACE } });
    return started;
  },
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const gateway = forAllTests(
  async () => await GatewayProcess.ready(await cluster().kubeconfigOf(GATEWAY_USER)),
  (gateway) => gateway[Symbol.asyncDispose](),
);
const names = numberedNames("asleep");

/** An agent that the gateway knows. */
async function anAgent(spec: object = ON_DEMAND): Promise<AgentName> {
  const at = { name: names.next(), namespace: NAMESPACE };
  await cluster().create(agentRuntimeOf(at, spec));
  return at;
}

async function replicasOf(at: AgentName): Promise<number> {
  return (await cluster().get(agentRuntimeOf(at))).spec.replicas;
}

async function isWoken(at: AgentName): Promise<void> {
  await vi.waitFor(async () => expect(await replicasOf(at)).toBe(1), WITHIN);
}

/** What the operator and the cluster do when the agent is woken. */
async function startReplica(at: AgentName): Promise<void> {
  const replica = await TestAgent.start({ host: machineAddress(), config: { agent: at } });
  await cluster().create(sliceOf(at, replica.running.facadePort ?? 0));
}

async function available(at: AgentName, reason: string, message: string): Promise<void> {
  const condition = { type: "Available", status: "False", reason, message };
  const conditions = [{ ...condition, lastTransitionTime: "2026-01-01T00:00:00Z" }];
  const path = `/apis/omnia.altairalabs.ai/v1alpha1/namespaces/${NAMESPACE}/agentruntimes/${at.name}/status`;
  const { status } = await cluster().server.request("PATCH", path, { status: { conditions } });
  expect(status).toBe(200);
}

function pathOf({ name, namespace }: AgentName): string {
  return `/ws?agent=${name}&namespace=${namespace}`;
}

/** Connects once the gateway has heard of the agent. */
function connect(at: AgentName): Promise<ChatClient> {
  return vi.waitFor(() => ChatClient.connect(gateway().url + pathOf(at)), WITHIN);
}

async function refusal(
  at: AgentName,
  port = gateway().port,
): Promise<{ status: number; message: string }> {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  const outgoing = httpRequest({ host: "127.0.0.1", port, path: pathOf(at), headers });
  outgoing.on("upgrade", (_response, socket) => socket.destroy()).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const body = JSON.parse((await response.toArray()).join("")) as { error: { message: string } };
  return { status: response.statusCode ?? 0, message: body.error.message };
}

describe("a gateway and an agent that nobody uses", () => {
  it("starts it for its first clients, holds them, and hands them over", async () => {
    const at = await anAgent();
    const connecting = [connect(at), connect(at), connect(at)];
    await isWoken(at);
    await startReplica(at);
    for (const client of await Promise.all(connecting)) {
      expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    }
    const { metadata } = await cluster().get(agentRuntimeOf(at));
    const scaled = (metadata.managedFields as { manager: string; subresource?: string }[]).filter(
      ({ manager }) => manager === "omnia-gateway",
    );
    expect(scaled).toMatchObject([{ subresource: "scale" }]);
  });

  it("starts it again when an autoscaler ends it before there is a replica", async () => {
    const at = await anAgent();
    const connecting = connect(at);
    await isWoken(at);
    await cluster().patch(agentRuntimeOf(at), { spec: { replicas: 0 } });
    await isWoken(at);
    await startReplica(at);
    await (await connecting).nextOf("connected");
  });

  it("holds clients of an agent that is being started, and leaves its number of replicas alone", async () => {
    const at = await anAgent({ ...ON_DEMAND, replicas: 3 });
    await available(at, "WaitingForPods", "None of 3 replicas is available yet");
    const connecting = connect(at);
    await startReplica(at);
    await (await connecting).nextOf("connected");
    expect(await replicasOf(at)).toBe(3);
  });

  it("tells its clients at once when its replicas fail", async () => {
    const at = await anAgent();
    const refused = vi.waitFor(async () => {
      const found = await refusal(at);
      expect(found.status).toBe(503);
      return found;
    }, WITHIN);
    await isWoken(at);
    await available(at, "PodsFailing", "no such model");
    expect(await refused).toEqual({ status: 503, message: "PodsFailing: no such model" });
    expect((await refusal(at)).status).toBe(503);
  });

  it("does not start one whose spec wants no replica, or that scales to one at least", async () => {
    for (const spec of [
      { replicas: 0 },
      { replicas: 0, autoscaling: { enabled: true, type: "keda", minReplicas: 1 } },
      { replicas: 0, autoscaling: { type: "keda", minReplicas: 0 } },
    ]) {
      const at = await anAgent(spec);
      await vi.waitFor(async () => expect((await refusal(at)).status).toBe(503), WITHIN);
      expect(await replicasOf(at)).toBe(0);
    }
  });

  it("holds nobody who has left", async () => {
    const at = await anAgent();
    const socket = connectSocket(gateway().port, "127.0.0.1");
    const head = [
      `GET ${pathOf(at)} HTTP/1.1`,
      "Host: localhost",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    await isWoken(at);
    socket.end();
    // The gateway closes its side although there is no replica.
    socket.resume();
    await once(socket, "close");
    expect(socket.bytesRead).toBe(0);
  });

  it("lets go of those whom it holds when it ends", async () => {
    const ending = await GatewayProcess.ready(await cluster().kubeconfigOf(GATEWAY_USER));
    onTestFinished(() => ending[Symbol.asyncDispose]());
    const at = await anAgent();
    const refused = vi.waitFor(() => refusal(at, ending.port), WITHIN);
    await isWoken(at);
    const code = ending.end();
    expect(await refused).toEqual({ status: 503, message: "the gateway is shutting down" });
    expect(await code).toBe(0);
  });
});
