/** A gateway that stands before a cluster: what passes it, what it keeps from agents and from strangers, and how it ends. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createLog } from "../observability/log.ts";
import { createMetrics } from "../observability/metrics.ts";
import type { Endpoint, Route } from "./choose-replica.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { createGateway, type ClusterFront, type Gateway } from "./gateway.ts";

const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const UNAVAILABLE = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";
const WITHIN = { timeout: 5_000, interval: 10 };

interface Replica {
  readonly endpoint: Endpoint;
  /** All that came over each connection, and the socket to answer on. */
  readonly connections: { received: string; readonly socket: Socket }[];
}

/** A replica that gives this answer to each handshake. */
async function startReplica(id: string, answer = SWITCH): Promise<Replica> {
  const connections: Replica["connections"] = [];
  const server = createServer((socket) => {
    const connection = { received: "", socket };
    connections.push(connection);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const isHandshake = connection.received === "";
      connection.received += data.toString("latin1");
      if (isHandshake) socket.write(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: { id, host: "127.0.0.1", port }, connections };
}

async function startGateway(
  replicas: readonly Replica[],
  front: Partial<ClusterFront> & { allowedHosts?: string[]; route?: Partial<Route> } = {},
): Promise<{ gateway: Gateway; port: number; metrics: () => Promise<string> }> {
  const { allowedHosts, route, ...cluster } = front;
  const registry = createMetrics({ processMetrics: false });
  const gateway = createGateway({
    log: createLog({ level: "silent" }),
    token: "",
    allowedHosts,
    source: {
      agents: () => [{ name: "bot", namespace: "team" }],
      resources: () => [],
      resolve: ({ name, namespace }) =>
        name === "bot" && namespace === "team"
          ? ({
              status: "ready",
              endpoints: replicas.map(({ endpoint }) => endpoint),
              affinity: "none",
              allowedOrigins: [],
              ...route,
            } as Route)
          : { status: "unknown" },
    },
    cluster: {
      allowedOrigins: [],
      authenticator: undefined,
      callers: undefined,
      signToken: undefined,
      metrics: createGatewayMetrics(registry),
      ...cluster,
    },
  });
  const { port } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => gateway.close(AbortSignal.abort()));
  return { gateway, port, metrics: () => registry.text() };
}

/** Sends the bytes as they stand, and keeps what comes back. */
async function open(port: number, bytes: string): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("error", () => {}).on("data", (data) => (received += data.toString("latin1")));
  await once(socket, "connect");
  socket.write(bytes, "latin1");
  return { socket, text: () => received };
}

const PATH = "/agents/team/bot/ws";
const handshake = (target = PATH, ...headers: string[]): string =>
  [
    `GET ${target} HTTP/1.1`,
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    ...headers,
    "",
    "",
  ].join("\r\n");

async function statusOf(port: number, bytes: string): Promise<number> {
  const { text } = await open(port, bytes);
  await vi.waitFor(() => expect(text()).toMatch(/^HTTP\/1\.1 \d{3}/), WITHIN);
  return Number(text().slice(9, 12));
}

describe("a handshake by path", () => {
  it("asks the agent for what it serves, with a query that names it", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway([one]);
    expect(await statusOf(port, handshake(`${PATH}?session_id=s%201`))).toBe(101);
    const [line] = one.connections[0]?.received.split("\r\n") ?? [];
    expect(line).toBe("GET /ws?agent=bot&namespace=team&session_id=s%201 HTTP/1.1");
  });

  it("goes to the next replica when one is not available, and its client sees one answer", async () => {
    const [busy, free] = [await startReplica("busy", UNAVAILABLE), await startReplica("free")];
    const { port } = await startGateway([busy, free]);
    for (let index = 0; index < 3; index += 1) expect(await statusOf(port, handshake())).toBe(101);
    const { port: alone } = await startGateway([busy]);
    expect(await statusOf(alone, handshake())).toBe(503);
  });

  it("goes to a replica that is about to go only when no other one is there", async () => {
    const [going, staying] = [await startReplica("going"), await startReplica("staying")];
    const leaving = { ...going, endpoint: { ...going.endpoint, isLeaving: true } };
    const { port } = await startGateway([leaving, staying]);
    for (let index = 0; index < 4; index += 1) await statusOf(port, handshake());
    expect([going.connections.length, staying.connections.length]).toEqual([0, 4]);
  });
});

describe("what an agent is not sent", () => {
  it("is anything of the client before the handshake was answered, or after it was refused", async () => {
    const second = "GET /api/v1alpha1/sessions HTTP/1.1\r\nHost: agent\r\n\r\n";
    const one = await startReplica(
      "one",
      "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno",
    );
    const { port, metrics } = await startGateway([one]);
    const { text, socket } = await open(port, handshake() + second);
    await vi.waitFor(() => expect(text()).toMatch(/^HTTP\/1\.1 401[^]*no$/), WITHIN);
    socket.write(second);
    await vi.waitFor(() => expect(one.connections[0]?.socket.readableEnded).toBe(true), WITHIN);
    expect(one.connections[0]?.received.match(/ HTTP\/1\.1/g)).toHaveLength(1);
    expect(await metrics()).toContain('omnia_gateway_refused_total{reason="AgentRefused"} 1');
  });

  it("is a token of the gateway that a client made up", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway([one]);
    await statusOf(
      port,
      handshake(PATH, "X-Omnia-Gateway-Token: forged", "x-omnia-GATEWAY-token: a"),
    );
    expect(one.connections[0]?.received).not.toMatch(/forged|gateway-token/i);
  });

  it("is what a client proves itself with to the gateway", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway([one], {
      authenticator: {
        authenticate: async (token) =>
          token === "annas-key"
            ? { kind: "api-key", subject: "anna", client: "anna", digest: "" }
            : undefined,
        review: async () => () => true,
      },
      signToken: async ({ subject, agent }) => `token-of-${subject}-for-${agent.name}`,
    });
    for (const headers of [
      ["Authorization: Bearer annas-key", "Cookie: annas-key"],
      ["X-API-Key: annas-key"],
      ["Sec-WebSocket-Protocol: chat, bearer.annas-key"],
      ["Connection: authorization, x-api-key", "Authorization: Bearer annas-key"],
    ]) {
      expect(await statusOf(port, handshake(PATH, ...headers))).toBe(101);
      const { received = "" } = one.connections.at(-1) ?? {};
      expect(received).toContain("x-omnia-gateway-token: token-of-anna-for-bot");
      expect(received).not.toContain("annas-key");
    }
    const { text } = await open(port, handshake(PATH, "Sec-WebSocket-Protocol: bearer.annas-key"));
    await vi.waitFor(() => expect(text()).toContain("\r\n\r\n"), WITHIN);
    expect(text()).toContain("Sec-WebSocket-Protocol: bearer.annas-key");
    expect(await statusOf(port, handshake())).toBe(401);
    expect(await statusOf(port, handshake("/agents/team/nobody/ws"))).toBe(401);
  });

  it("is the origin of a page that the gateway itself lets in", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway([one], { allowedOrigins: ["https://app.example"] });
    expect(await statusOf(port, handshake(PATH, "Origin: https://app.example"))).toBe(101);
    expect(one.connections[0]?.received).not.toMatch(/origin:/i);
    expect(await statusOf(port, handshake(PATH, "Origin: https://other.example"))).toBe(403);
  });
});

describe("strangers", () => {
  it("hear nothing of the agents that there are", async () => {
    const { port } = await startGateway([]);
    for (const target of ["/ws", "/ws?agent=bot", "/agents/other/bot/ws"]) {
      const { text } = await open(port, handshake(target));
      await vi.waitFor(() => expect(text()).toContain('"error"'), WITHIN);
      expect(text()).not.toContain("team");
    }
    for (const path of ["/", "/api/v1alpha1/resources", "/api/v1alpha1/agents"]) {
      const get = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
      expect(await statusOf(port, get)).toBe(404);
    }
  });

  it("hear why an agent is not ready only where everybody may connect to it", async () => {
    const reason = "SecretNotFound: there is no Secret internal";
    for (const isForAnybody of [true, false]) {
      const route = { status: "unavailable", reason, isForAnybody } as const;
      const { port } = await startGateway([], { route });
      const { text } = await open(port, handshake());
      await vi.waitFor(() => expect(text()).toMatch(/^HTTP\/1\.1 503[^]*"error"/), WITHIN);
      expect(text().includes("internal")).toBe(isForAnybody);
    }
  });

  it.each<[string, number]>([
    [handshake("/agents/team%2fbot/ws"), 404],
    [handshake("/agents/team/../team/bot/ws"), 404],
    [handshake(`${PATH}?agent=other`), 400],
    [handshake().replace("GET", "POST"), 400],
    [handshake(PATH, `X-Long: ${"x".repeat(20_000)}`), 431],
    [handshake(PATH, "Host: localhost"), 403],
    [handshake(`http://other.example${PATH}`), 403],
    [
      handshake(PATH, "Origin: http://rebound.example").replace("localhost", "rebound.example"),
      403,
    ],
    [handshake(PATH, "Origin: null"), 403],
    [handshake(PATH, "X-Bad : 1"), 400],
    [handshake(PATH, "Transfer-Encoding: chunked", "Content-Length: 5"), 400],
  ])("with the request %j are answered %i", async (bytes, status) => {
    const one = await startReplica("one");
    const { port } = await startGateway([one]);
    expect(await statusOf(port, bytes)).toBe(status);
    expect(one.connections).toEqual([]);
  });

  it("that are no pages may use any name of the gateway, and pages those that it is given", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway([one], { allowedHosts: ["*.example.com"] });
    const as = (host: string, ...headers: string[]): Promise<number> =>
      statusOf(port, handshake(PATH, ...headers).replace("localhost", host));
    expect(await as("whatever.example")).toBe(101);
    for (const host of ["chat.example.com", "omnia-gateway.omnia-system.svc", "10.0.0.7:8080"]) {
      expect(await as(host, `Origin: http://${host}`)).toBe(101);
    }
    expect(await as("example.com.evil.example", "Origin: http://example.com.evil.example")).toBe(
      403,
    );
  });
});

describe("a gateway that drains", () => {
  it("tells idle clients to go, and others when their frame is whole", async () => {
    const one = await startReplica("one");
    const { gateway, port, metrics } = await startGateway([one]);
    const { text } = await open(port, handshake());
    await vi.waitFor(() => expect(text()).toContain("\r\n\r\n"), WITHIN);
    expect(await metrics()).toContain(
      'omnia_gateway_connections_active{agent="bot",namespace="team"} 1',
    );
    const [{ socket } = { socket: undefined }] = one.connections;
    // The head of a frame with four bytes, of which two come.
    socket?.write(Buffer.from([0x81, 4, 0x61, 0x62]));
    await vi.waitFor(() => expect(text()).toMatch(/ab$/), WITHIN);
    await gateway.drain(100, new AbortController().signal);
    expect(text()).toMatch(/ab$/);
    socket?.write(Buffer.from([0x63, 0x64]));
    const goingAway = Buffer.from([0x88, 2 + 28, 0x03, 0xe9]).toString("latin1");
    await vi.waitFor(
      () => expect(text()).toContain(`abcd${goingAway}the gateway is shutting down`),
      WITHIN,
    );
    // What comes after that is nothing that the client could read.
    socket?.write(Buffer.from([0x81, 1, 0x65]));
    await vi.waitFor(() => expect(socket?.readableEnded ?? false).toBe(false), WITHIN);
    expect(text()).toMatch(/shutting down$/);
  });
});
