/** `omnia gateway` on a real API server: which agents it finds, whom it lets in, what it tells, and what it does without the server. */
import { generateKeyPairSync } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { gatewayPublicKey } from "../../../src/agent-config/gateway-token.ts";
import { runSuite } from "../../../src/conformance/run-suite.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import { GatewayProcess } from "../../support/gateway/gateway-process.ts";
import {
  agentRuntimeOf,
  bind,
  GATEWAY_USER,
  machineAddress,
  permitGateway,
  setConditions,
  sliceOf,
  type AgentName,
} from "../../support/gateway/routed-agents.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const WITHIN = { timeout: 60_000, interval: 20 };
const PRIVATE_KEY = generateKeyPairSync("ed25519").privateKey.export({
  type: "pkcs8",
  format: "pem",
});

const folder = folderForAllTests();
const cluster = forAllTests(
  async () => {
    const started = await KubeCluster.start({
      withControllers: false,
      users: { [GATEWAY_USER]: [], anna: [], ben: [] },
    });
    await permitGateway(started.server);
    await started.create({ kind: "Namespace", metadata: { name: "team" } });
    const chat = {
      apiGroups: ["omnia.altairalabs.ai"],
      resources: ["agentruntimes/chat"],
      verbs: ["create"],
    };
    await bind(started.server, "anna", [chat], "team");
    return started;
  },
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const kubeconfig = forAllTests(() => cluster().kubeconfigOf(GATEWAY_USER));

async function startGateway(...flags: string[]): Promise<GatewayProcess> {
  const gateway = await GatewayProcess.ready(kubeconfig(), flags);
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

async function keyFile(): Promise<string> {
  const file = join(folder(), "key.pem");
  await writeFile(file, PRIVATE_KEY);
  return file;
}

interface RoutedAgent {
  readonly at: AgentName;
  readonly replicas: readonly TestAgent[];
}

/** An agent of the cluster with as many replicas, which are gone at the end of the test. */
async function anAgent(
  name: string,
  {
    namespace = "team",
    replicas: count = 1,
    spec = {},
    config = {},
  }: { namespace?: string; replicas?: number; spec?: object; config?: Partial<AgentConfig> } = {},
): Promise<RoutedAgent> {
  const at = { name, namespace };
  const replicas: TestAgent[] = [];
  for (let index = 0; index < count; index += 1) {
    replicas.push(
      await TestAgent.start({
        host: machineAddress(),
        config: { agent: at, ...config },
      }),
    );
  }
  await cluster().create(
    agentRuntimeOf(at, spec),
    ...replicas.map((replica) => sliceOf(at, portOf(replica))),
  );
  onTestFinished(async () => {
    await cluster().delete(agentRuntimeOf(at));
    for (const replica of replicas) await cluster().delete(sliceOf(at, portOf(replica)));
  });
  return { at, replicas };
}

function portOf({ running }: TestAgent): number {
  return running.facadePort ?? 0;
}

/** Connects once the gateway has heard of the agent. */
function connect(
  gateway: GatewayProcess,
  path: string,
  options: Parameters<typeof ChatClient.connect>[1] = {},
): Promise<ChatClient> {
  return vi.waitFor(() => ChatClient.connect(gateway.url + path, options), WITHIN);
}

async function refusal(
  gateway: GatewayProcess,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; code: string; message: string; body: string }> {
  const outgoing = httpRequest({
    host: "127.0.0.1",
    port: gateway.port,
    path,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      ...headers,
    },
  });
  outgoing.on("upgrade", (_response, socket) => socket.destroy()).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const body = (await response.toArray()).join("");
  const { error } = JSON.parse(body) as { error: { code: string; message: string } };
  return { status: response.statusCode ?? 0, ...error, body };
}

describe("a gateway in a cluster", () => {
  it("leads to agents by query and by path, and passes the whole of the protocol on", async () => {
    await anAgent("bot", { replicas: 2 });
    const gateway = await startGateway();
    for (const path of [
      "/ws?agent=bot&namespace=team",
      "/agents/team/bot/ws",
      "/agents/team/bot/",
    ]) {
      const client = await connect(gateway, path);
      client.say("hello");
      expect((await client.nextOf("done")).content).toBe("hello");
    }
    const results = await runSuite(
      {
        url: new URL(`${gateway.url}/agents/team/bot/ws`),
        token: undefined,
        handler: "echo",
      },
      { timeoutMs: 20_000, signal: new AbortController().signal, onResult: () => {} },
    );
    expect(results.filter(({ result }) => result === "fail")).toEqual([]);
    expect(results.filter(({ result }) => result === "pass").length).toBeGreaterThan(10);
  });

  it("follows replicas as they come, are about to go, and go", async () => {
    const { at, replicas } = await anAgent("bot", { replicas: 2 });
    const [first, second] = replicas as [TestAgent, TestAgent];
    const gateway = await startGateway();
    (await connect(gateway, "/agents/team/bot/ws")).socket.terminate();
    const leaving = { ready: false, serving: true, terminating: true };
    await setConditions(cluster(), at, portOf(first), leaving);
    await vi.waitFor(async () => {
      await connect(gateway, "/agents/team/bot/ws");
      expect(second.running).toBeDefined();
      expect(await second.metric("omnia_agent_connections_active")).toBeGreaterThan(2);
    }, WITHIN);
    // The last one that serves is better than none.
    await setConditions(cluster(), at, portOf(second), { ready: false });
    const before = await first.metric("omnia_agent_connections_total");
    await vi.waitFor(async () => {
      await connect(gateway, "/agents/team/bot/ws");
      expect(await first.metric("omnia_agent_connections_total")).toBeGreaterThan(before ?? 0);
    }, WITHIN);
    await setConditions(cluster(), at, portOf(first), { ready: false });
    await vi.waitFor(async () => {
      expect(await refusal(gateway, "/agents/team/bot/ws")).toMatchObject({ status: 503 });
    }, WITHIN);
  });

  it("says why an agent is not ready, in the words of its condition, and names no other agent", async () => {
    await anAgent("secret-agent");
    const { at } = await anAgent("sleeper", { replicas: 0 });
    const gateway = await startGateway();
    const condition = {
      type: "Available",
      status: "False",
      reason: "ScaledToZero",
      message: "No replicas are wanted.",
      lastTransitionTime: new Date().toISOString(),
    };
    const path = `/apis/omnia.altairalabs.ai/v1alpha1/namespaces/team/agentruntimes/${at.name}/status`;
    const { status } = await cluster().server.request("PATCH", path, {
      status: { conditions: [condition] },
    });
    expect(status).toBe(200);
    await vi.waitFor(async () => {
      expect(await refusal(gateway, "/ws?agent=sleeper&namespace=team")).toMatchObject({
        status: 503,
        code: "AgentNotReady",
        message: "ScaledToZero: No replicas are wanted.",
      });
    }, WITHIN);
    for (const target of ["/ws", "/ws?agent=nobody", "/ws?agent=secret-agent"]) {
      expect((await refusal(gateway, target)).body).not.toContain("team");
    }
  });

  it("leads to the agents of its namespaces alone", async () => {
    await anAgent("bot");
    await anAgent("other", { namespace: "default" });
    const gateway = await startGateway("--namespaces", "team");
    await connect(gateway, "/agents/team/bot/ws");
    expect(await refusal(gateway, "/ws?agent=other")).toMatchObject({ status: 404 });
  });

  it("passes credentials on to an agent that asks for them, and asks for none itself", async () => {
    await mkdir(join(folder(), "keys"), { recursive: true });
    const keys = join(folder(), "keys");
    await writeFile(join(keys, "carol"), "carols-key");
    const facade = { port: 0, auth: { apiKeysFolder: keys } };
    await anAgent("bot", { config: { facade } });
    const gateway = await startGateway();
    await connect(gateway, "/agents/team/bot/ws", { headers: { "x-api-key": "carols-key" } });
    await connect(gateway, "/agents/team/bot/ws", { protocols: ["bearer.carols-key"] });
    expect(await refusal(gateway, "/agents/team/bot/ws")).toMatchObject({ status: 401 });
  });

  it("counts its connections, what it refuses, and what passes", async () => {
    await anAgent("bot");
    const gateway = await startGateway();
    const client = await connect(gateway, "/agents/team/bot/ws");
    client.say("hello");
    await client.nextOf("done");
    await refusal(gateway, "/ws?agent=invented-by-a-client");
    const { body } = await gateway.management("/metrics");
    expect(body).toContain('omnia_gateway_connections_active{agent="bot",namespace="team"} 1');
    expect(body).toMatch(/omnia_gateway_connections_total\{agent="bot",namespace="team"\} \d/);
    expect(body).toMatch(/omnia_gateway_refused_total\{reason="AgentNotFound"\} \d/);
    expect(body).toMatch(/omnia_gateway_handshake_duration_seconds_count \d/);
    expect(body).toMatch(/omnia_gateway_sent_bytes_total [1-9]/);
    expect(body).toMatch(/omnia_gateway_received_bytes_total [1-9]/);
    expect(body).not.toContain("invented-by-a-client");
    client.socket.terminate();
    await vi.waitFor(async () => {
      const { body: later } = await gateway.management("/metrics");
      expect(later).toContain('omnia_gateway_connections_active{agent="bot",namespace="team"} 0');
    }, WITHIN);
  });

  it("drains: it is not ready, takes nobody new, tells idle clients to go, and ends", async () => {
    await anAgent("bot");
    const gateway = await startGateway("--drain-grace", "20s");
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => connect(gateway, "/agents/team/bot/ws")),
    );
    const began = performance.now();
    const ended = gateway.end();
    await vi.waitFor(async () => {
      expect((await gateway.management("/readyz")).status).toBe(503);
    }, WITHIN);
    for (const client of clients) {
      expect(await client.closed).toEqual({ code: 1001, reason: "the gateway is shutting down" });
    }
    expect(await ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(timeFor(15_000));
  });

  it("goes on with what it knows while the API server is away, and catches up when it is back", async () => {
    const { at, replicas } = await anAgent("bot", { replicas: 2 });
    const gateway = await startGateway();
    await connect(gateway, "/agents/team/bot/ws");
    await cluster().server.kill();
    for (let index = 0; index < 3; index += 1) await connect(gateway, "/agents/team/bot/ws");
    expect((await gateway.management("/readyz")).status).toBe(200);
    await cluster().server.start();
    await setConditions(cluster(), at, portOf(replicas[0] as TestAgent), { ready: false });
    await setConditions(cluster(), at, portOf(replicas[1] as TestAgent), { ready: false });
    await vi.waitFor(
      async () => {
        expect(await refusal(gateway, "/agents/team/bot/ws")).toMatchObject({ status: 503 });
      },
      { timeout: 60_000, interval: 100 },
    );
  });
});

describe("a gateway that asks its clients who they are", () => {
  const proven = { gateway: { publicKeys: [gatewayPublicKey(PRIVATE_KEY)] } };

  it("lets in those with a key, proves them to the agent, and keeps the key to itself", async () => {
    const keys = join(folder(), "gateway-keys");
    await mkdir(keys, { recursive: true });
    await writeFile(join(keys, "anna"), "annas-key");
    await writeFile(join(keys, "ben"), "bens-key");
    await anAgent("bot", { config: proven });
    const gateway = await startGateway(
      "--api-keys-dir",
      keys,
      "--gateway-key-file",
      await keyFile(),
    );
    expect(await refusal(gateway, "/agents/team/bot/ws")).toMatchObject({ status: 401 });
    expect(await refusal(gateway, "/agents/team/no-such-agent/ws")).toMatchObject({ status: 401 });
    const wrong = { authorization: "Bearer wrong" };
    expect(await refusal(gateway, "/agents/team/bot/ws", wrong)).toMatchObject({ status: 401 });

    const anna = await connect(gateway, "/agents/team/bot/ws", {
      headers: { authorization: "Bearer annas-key" },
    });
    const { session_id } = await anna.nextOf("connected");
    anna.say("hello");
    await anna.nextOf("done");
    // A browser ends the connection unless one of the subprotocols is selected that it offered.
    const page = await connect(gateway, `/agents/team/bot/ws?session_id=${session_id}`, {
      protocols: ["bearer.annas-key"],
    });
    expect(page.socket.protocol).toBe("bearer.annas-key");
    expect((await page.nextOf("connected")).resumed).toBe(true);
    // The session belongs to her, whatever others know of it.
    const ben = await connect(gateway, `/agents/team/bot/ws?session_id=${session_id}`, {
      headers: { "x-api-key": "bens-key" },
    });
    expect((await ben.nextOf("error")).error.code).toBe("SESSION_NOT_FOUND");

    await rm(join(keys, "anna"));
    expect((await anna.closed).code).toBe(4401);
    expect((await page.closed).code).toBe(4401);
    expect(ben.socket.readyState).toBe(ben.socket.OPEN);
    expect(gateway.lines.join("\n")).not.toContain("annas-key");
  });

  it("takes no client's word for what only a gateway says", async () => {
    await anAgent("bot", { config: proven });
    const gateway = await startGateway();
    const { session_id } = await (
      await connect(gateway, "/agents/team/bot/ws", {
        headers: { "x-omnia-gateway-token": "eyJ.eyJ.x", connection: "Upgrade, Authorization" },
      })
    ).nextOf("connected");
    expect(session_id).toBeTruthy();
  });

  it("lets in users of the cluster by their right to chat", async () => {
    await anAgent("bot", { config: proven });
    await anAgent("elsewhere", { namespace: "default", config: proven });
    const gateway = await startGateway("--api", "--gateway-key-file", await keyFile());
    const { anna = "", ben = "" } = cluster().server.tokens;
    const client = await connect(gateway, "/agents/team/bot/ws", {
      headers: { authorization: `Bearer ${anna}` },
    });
    client.say("hello");
    expect((await client.nextOf("done")).content).toBe("hello");
    for (const [token, path] of [
      [ben, "/agents/team/bot/ws"],
      [ben, "/agents/team/no-such-agent/ws"],
      [anna, "/agents/default/elsewhere/ws"],
    ] as const) {
      const headers = { authorization: `Bearer ${token}` };
      const { status, message } = await refusal(gateway, path, headers);
      expect(status).toBe(403);
      expect(message).toContain("create agentruntimes/chat in namespace");
    }
  });

  it("reads its key and its folder of keys at the start, and says what is missing", async () => {
    const starting = GatewayProcess.start(kubeconfig(), [
      "--api",
      "--gateway-key-file",
      "/nowhere",
    ]);
    await expect(starting).rejects.toThrow("/nowhere");
  });
});
