import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createLog } from "../observability/log.ts";
import { createGateway, type Gateway, type GatewayLimits } from "./gateway.ts";
import type { ResourceView } from "./gateway-source.ts";
import type { AgentReference, Endpoint, Route } from "./choose-replica.ts";

const log = createLog({ level: "silent" });
const TOKEN = "token-of-the-gateway";
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

interface Replica {
  endpoint: Endpoint;
  /** Heads of the handshakes that arrived. */
  handshakes: { url: string; headers: IncomingHttpHeaders }[];
  sockets: WebSocketServer["clients"];
  stop(): Promise<void>;
}

/** A replica that says its id, then echoes. With `refuse` it answers the handshake with 401. */
async function startReplica(id: string, { refuse = false } = {}): Promise<Replica> {
  const server: Server = createServer();
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: 64 * 1024 * 1024,
    handleProtocols: (protocols) => [...protocols][0] ?? false,
  });
  const handshakes: Replica["handshakes"] = [];
  server.on("upgrade", (request, socket, head) => {
    handshakes.push({ url: request.url ?? "", headers: request.headers });
    if (refuse) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", () => {});
      webSocket.send(id);
      webSocket.on("message", (data, isBinary) => webSocket.send(data, { binary: isBinary }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async (): Promise<void> => {
    for (const client of webSockets.clients) client.terminate();
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  cleanup.push(stop);
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: { id, host: "127.0.0.1", port },
    handshakes,
    sockets: webSockets.clients,
    stop,
  };
}

async function startGateway(
  routes: Record<string, Partial<Extract<Route, { status: "ready" }>> | Route>,
  options: {
    limits?: Partial<GatewayLimits>;
    host?: string;
    allowedHosts?: string[];
    resources?: ResourceView[];
  } = {},
): Promise<{ port: number; wantsToken: boolean; gateway: Gateway }> {
  const reference = (key: string): AgentReference => {
    const [namespace = "", name = ""] = key.split("/");
    return { name, namespace };
  };
  const gateway = createGateway({
    log,
    token: TOKEN,
    allowedHosts: options.allowedHosts,
    limits: options.limits,
    api: () => () => Response.json({ items: options.resources ?? [] }),
    source: {
      agents: () => Object.keys(routes).map(reference),
      resources: () => options.resources ?? [],
      resolve: ({ namespace, name }) => {
        const route = routes[`${namespace}/${name}`];
        if (route === undefined) return { status: "unknown" };
        return {
          status: "ready",
          endpoints: [],
          affinity: "none",
          allowedOrigins: [],
          ...route,
        } as Route;
      },
    },
  });
  const { port, wantsToken } = await gateway.listen({ host: options.host ?? "127.0.0.1", port: 0 });
  cleanup.push(() => gateway.close(AbortSignal.abort()));
  return { port, wantsToken, gateway };
}

function open(
  port: number,
  target: string,
  options: { headers?: Record<string, string>; protocol?: string } = {},
) {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${target}`, options.protocol, {
    headers: options.headers ?? {},
  });
  webSocket.on("error", () => {});
  cleanup.push(() => webSocket.terminate());
  return webSocket;
}

async function nextMessage(webSocket: WebSocket): Promise<string> {
  const [data] = (await once(webSocket, "message")) as [Buffer];
  return data.toString();
}

/** Opens a connection and answers the id of the replica that took it. */
async function replicaOf(
  port: number,
  target: string,
  options?: Parameters<typeof open>[2],
): Promise<string> {
  return nextMessage(open(port, target, options));
}

async function refusalOf(port: number, target: string, headers: Record<string, string> = {}) {
  const outgoing = httpRequest({
    host: "127.0.0.1",
    port,
    path: target,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      ...headers,
    },
  });
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const text = (await response.toArray()).join("");
  return {
    status: response.statusCode,
    retryAfter: response.headers["retry-after"],
    ...(JSON.parse(text) as { error: { code: string; message: string; agents?: string[] } }),
  };
}

describe("a handshake", () => {
  it.each(["/ws?agent=one", "/?agent=one", "/ws?agent=one&namespace=default"])(
    "for %s reaches the agent",
    async (target) => {
      const one = await startReplica("one");
      const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
      expect(await replicaOf(port, target)).toBe("one");
    },
  );

  it("tells agents of one name in two namespaces apart", async () => {
    const [here, there] = [await startReplica("here"), await startReplica("there")];
    const { port } = await startGateway({
      "default/bot": { endpoints: [here.endpoint] },
      "team-a/bot": { endpoints: [there.endpoint] },
    });
    expect(await replicaOf(port, "/ws?agent=bot")).toBe("here");
    expect(await replicaOf(port, "/ws?agent=bot&namespace=team-a")).toBe("there");
  });

  it("goes on with its query, credentials and subprotocol, with the client's address, and without hop-by-hop headers", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one&session_id=s%201", {
      protocol: "bearer.abc",
      headers: {
        authorization: "Bearer abc",
        "proxy-authorization": "Basic abc",
        "keep-alive": "timeout=5",
        "x-forwarded-for": "192.0.2.1",
        "x-custom": "kept",
      },
    });
    await nextMessage(webSocket);
    expect(webSocket.protocol).toBe("bearer.abc");
    const { url, headers } = one.handshakes[0] ?? { url: "", headers: {} };
    expect(url).toBe("/ws?agent=one&session_id=s%201");
    expect(headers).toMatchObject({
      authorization: "Bearer abc",
      connection: "Upgrade",
      upgrade: "websocket",
      host: `127.0.0.1:${port}`,
      "x-custom": "kept",
      "x-forwarded-for": "192.0.2.1, 127.0.0.1",
      "x-forwarded-host": `127.0.0.1:${port}`,
      "x-forwarded-proto": "http",
    });
    for (const gone of ["proxy-authorization", "keep-alive"])
      expect(headers).not.toHaveProperty(gone);
  });

  it("loses the headers that its Connection header names, but never its Host or its credentials", async () => {
    let resolveHead: (head: string) => void;
    const head = new Promise<string>((resolve) => (resolveHead = resolve));
    const endpoint = await startBareReplica((socket) => {
      socket.once("data", (data) => resolveHead(data.toString("latin1")));
    });
    const { port } = await startGateway({ "default/one": { endpoints: [endpoint] } });
    const client = connect(port, "127.0.0.1");
    cleanup.push(() => client.destroy());
    client.write(
      "GET /?agent=one HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade, X-Private, Host, authorization\r\n" +
        "Upgrade: WebSocket\r\nX-Private: 1\r\nX-Name: caf\xe9\r\nAuthorization: Bearer abc\r\n\r\n",
      "latin1",
    );
    expect((await head).split("\r\n")).toEqual([
      "GET /?agent=one HTTP/1.1",
      "Host: localhost",
      "X-Name: caf\xe9",
      "Authorization: Bearer abc",
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Host: localhost",
      "X-Forwarded-Proto: http",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "",
      "",
    ]);
  });

  it("without an agent is refused with the names of those there are", async () => {
    const { port } = await startGateway({ "default/one": {}, "team-a/two": {} });
    expect(await refusalOf(port, "/ws")).toMatchObject({
      status: 400,
      error: { code: "AgentRequired", agents: ["default/one", "team-a/two"] },
    });
    expect(await refusalOf(port, "/ws?agent=")).toMatchObject({ status: 400 });
  });

  it("for an unknown agent is refused with the names of those there are", async () => {
    const { port } = await startGateway({ "default/one": {} });
    expect(await refusalOf(port, "/ws?agent=other")).toMatchObject({
      status: 404,
      error: { code: "AgentNotFound", agents: ["default/one"] },
    });
    expect(await refusalOf(port, "/ws?agent=one&namespace=other")).toMatchObject({
      status: 404,
      error: {
        message: "there is no agent one in namespace other; did you mean namespace=default?",
      },
    });
  });

  it("for an agent without a ready replica is refused with its reason, and when to come back", async () => {
    const { port } = await startGateway({
      "default/one": {
        status: "unavailable",
        reason: "WaitingForPods: 0 of 1 replicas are ready",
        allowedOrigins: [],
      },
    });
    expect(await refusalOf(port, "/?agent=one")).toMatchObject({
      status: 503,
      retryAfter: "5",
      error: { code: "AgentNotReady", message: "WaitingForPods: 0 of 1 replicas are ready" },
    });
  });

  it.each(["/other?agent=one", "//ws?agent=one", "/ws/?agent=one"])(
    "for the path %s is refused",
    async (target) => {
      const { port } = await startGateway({ "default/one": {} });
      expect(await refusalOf(port, target)).toMatchObject({
        status: 404,
        error: { code: "NotFound" },
      });
    },
  );

  it("from a page of a foreign origin is refused unless the agent names the origin", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({
      "default/closed": { endpoints: [one.endpoint] },
      "default/open": { endpoints: [one.endpoint], allowedOrigins: ["https://app.example"] },
    });
    const headers = { origin: "https://app.example" };
    expect(await refusalOf(port, "/ws?agent=closed", headers)).toMatchObject({
      status: 403,
      error: { code: "OriginNotAllowed" },
    });
    expect(await refusalOf(port, "/ws?agent=unknown", headers)).toMatchObject({ status: 403 });
    expect(await replicaOf(port, "/ws?agent=open", { headers })).toBe("one");
    expect(
      await replicaOf(port, "/ws?agent=closed", {
        headers: { origin: `http://localhost:${port}` },
      }),
    ).toBe("one");
  });

  it("under a foreign name is refused while the gateway is for this machine only", async () => {
    const one = await startReplica("one");
    const routes = { "default/one": { endpoints: [one.endpoint] } };
    const local = await startGateway(routes);
    const headers = { host: "rebound.example:8080" };
    expect(await refusalOf(local.port, "/ws?agent=one", headers)).toMatchObject({
      status: 403,
      error: { code: "HostNotAllowed" },
    });
    const open = await startGateway(routes, { allowedHosts: ["rebound.example"] });
    expect(await replicaOf(open.port, "/ws?agent=one", { headers })).toBe("one");
  });

  it("that the agent refuses is answered in the agent's own words", async () => {
    const one = await startReplica("one", { refuse: true });
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    const [, response] = (await once(webSocket, "unexpected-response")) as [
      unknown,
      { statusCode: number },
    ];
    expect(response.statusCode).toBe(401);
  });

  it("with headers past the limit is refused with 431", async () => {
    const { port } = await startGateway(
      { "default/one": {} },
      { limits: { maxHeaderBytes: 2_048 } },
    );
    const webSocket = open(port, "/ws?agent=one", { headers: { "x-long": "x".repeat(3_000) } });
    const [, response] = (await once(webSocket, "unexpected-response")) as [
      unknown,
      { statusCode: number },
    ];
    expect(response.statusCode).toBe(431);
  });
});

describe("among replicas", () => {
  it("connections spread by how many each has", async () => {
    const [a, b] = [await startReplica("a"), await startReplica("b")];
    const { port } = await startGateway({ "default/one": { endpoints: [a.endpoint, b.endpoint] } });
    const taken = [];
    for (let index = 0; index < 4; index += 1) taken.push(await replicaOf(port, "/ws?agent=one"));
    expect(taken.toSorted()).toEqual(["a", "a", "b", "b"]);
  });

  it("a client keeps to one when the agent's sessions live in a replica's memory", async () => {
    const [a, b] = [await startReplica("a"), await startReplica("b")];
    const { port } = await startGateway({
      "default/one": { endpoints: [a.endpoint, b.endpoint], affinity: "client" },
    });
    const taken = new Set<string>();
    for (let index = 0; index < 4; index += 1) taken.add(await replicaOf(port, "/ws?agent=one"));
    expect(taken.size).toBe(1);
  });

  it("the next is tried when one cannot be connected to", async () => {
    const [gone, there] = [await startReplica("gone"), await startReplica("there")];
    await gone.stop();
    const { port } = await startGateway({
      "default/one": { endpoints: [gone.endpoint, there.endpoint] },
    });
    for (let index = 0; index < 3; index += 1)
      expect(await replicaOf(port, "/ws?agent=one")).toBe("there");
  });

  it("a client hears 502 when none can be connected to", async () => {
    const gone = await startReplica("gone");
    await gone.stop();
    const { port } = await startGateway({ "default/one": { endpoints: [gone.endpoint] } });
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 502,
      error: { code: "ReplicaFailed" },
    });
  });
});

/** A replica that takes connections and does with them what `behave` says. */
async function startBareReplica(behave: (socket: Socket) => void): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    behave(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { id: "bare", host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

describe("a connection", () => {
  it("carries messages larger than any buffer on the way, in both directions and unchanged", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    const large = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
    webSocket.send(large);
    const [data] = (await once(webSocket, "message")) as [Buffer];
    expect(data.equals(large)).toBe(true);
  });

  it("delivers what a client sent together with its handshake", async () => {
    const received: Buffer[] = [];
    let resolveAll: (text: string) => void;
    const all = new Promise<string>((resolve) => (resolveAll = resolve));
    const endpoint = await startBareReplica((socket) => {
      socket.on("data", (data: Buffer) => {
        received.push(data);
        const text = Buffer.concat(received).toString("latin1");
        if (text.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
        if (text.endsWith("early bytes")) resolveAll(text);
      });
    });
    const { port } = await startGateway({ "default/one": { endpoints: [endpoint] } });
    const client = connect(port, "127.0.0.1");
    cleanup.push(() => client.destroy());
    client.write(
      `GET /ws?agent=one HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly bytes`,
    );
    expect(await all).toMatch(/^GET \/ws\?agent=one HTTP\/1\.1\r\n[^]*\r\n\r\nearly bytes$/);
  });

  it("ends with the close code that the agent gave", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    for (const socket of one.sockets) socket.close(1001, "going away");
    const [code] = (await once(webSocket, "close")) as [number];
    expect(code).toBe(1001);
  });

  it("ends at the client when the replica is killed, and at the replica when the client is", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const first = open(port, "/ws?agent=one");
    await nextMessage(first);
    const ended = once(first, "close");
    for (const socket of one.sockets) socket.terminate();
    expect(((await ended) as [number])[0]).toBe(1006);

    const second = open(port, "/ws?agent=one");
    await nextMessage(second);
    const [atReplica] = one.sockets;
    const gone = once(atReplica as unknown as WebSocket, "close");
    second.terminate();
    await gone;
  });

  it("does not outlive its end in one direction for long", async () => {
    const endpoint = await startBareReplica((socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      socket.end();
    });
    const { port } = await startGateway(
      { "default/one": { endpoints: [endpoint] } },
      { limits: { halfClosedMs: 20 } },
    );
    const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    client.resume().on("error", () => {});
    client.write(
      `GET /ws?agent=one HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    await once(client, "end");
    // The client never ends its side: writing into the socket that the gateway gave up fails at some point.
    const writing = setInterval(() => client.write("x"), 5);
    await new Promise((resolve) => client.once("close", resolve));
    clearInterval(writing);
  });

  it("hears 502 from a replica that hangs up without an answer", async () => {
    const endpoint = await startBareReplica((socket) => socket.end());
    const { port } = await startGateway({ "default/one": { endpoints: [endpoint] } });
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 502,
      error: { code: "ReplicaFailed" },
    });
  });

  it("hears 504 from a replica that never answers", async () => {
    const endpoint = await startBareReplica(() => {});
    const { port } = await startGateway(
      { "default/one": { endpoints: [endpoint] } },
      { limits: { handshakeTimeoutMs: 20 } },
    );
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 504,
      error: { code: "ReplicaTimeout" },
    });
  });

  it("past the limit is refused, and taken again when another has ended", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway(
      { "default/one": { endpoints: [one.endpoint] } },
      { limits: { maxConnections: 1 } },
    );
    const first = open(port, "/ws?agent=one");
    await nextMessage(first);
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 503,
      error: { code: "TooManyConnections" },
    });
    first.close();
    await once(first, "close");
    await expect.poll(() => replicaOf(port, "/ws?agent=one")).toBe("one");
  });
});

describe("closing", () => {
  it("waits for open connections, and takes no new one", async () => {
    const one = await startReplica("one");
    const { port, gateway } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    let closed = false;
    const closing = gateway.close(new AbortController().signal).then(() => (closed = true));
    const late = open(port, "/ws?agent=one");
    const [error] = (await once(late, "error")) as [Error & { code: string }];
    expect(error.code).toBe("ECONNREFUSED");
    webSocket.send("still there");
    expect(await nextMessage(webSocket)).toBe("still there");
    expect(closed).toBe(false);
    for (const socket of one.sockets) socket.close(1001);
    await closing;
  });

  it("cuts what is open once it may not wait any longer", async () => {
    const one = await startReplica("one");
    const { port, gateway } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    const hurry = new AbortController();
    const closing = gateway.close(hurry.signal);
    hurry.abort();
    await closing;
    await once(webSocket, "close");
  });
});

describe("over plain HTTP", () => {
  const resource: ResourceView = {
    apiVersion: "omnia.altairalabs.ai/v1alpha1",
    kind: "AgentRuntime",
    metadata: { name: "bot", namespace: "team-a" },
    spec: {},
    status: { phase: "Running", ready: "1/1" },
  };

  it("/healthz answers", async () => {
    const { port } = await startGateway({});
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  it("what the API answers is for pages of the gateway only", async () => {
    const { port } = await startGateway({}, { resources: [resource] });
    const response = await fetch(`http://127.0.0.1:${port}/api/v1alpha1/resources`);
    expect(await response.json()).toEqual({ items: [resource] });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
  });

  it("/ says what runs and how to talk to it", async () => {
    const { port } = await startGateway({}, { resources: [resource] });
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(text).toBe(
      `Omnia runs here. Its agents:\n\nteam-a/bot: Running (1/1 ready)\n` +
        `  ws://127.0.0.1:${port}/ws?agent=bot&namespace=team-a\n  omnia chat bot -n team-a\n`,
    );
    // Without a console a browser is told the same.
    const page = await fetch(`http://127.0.0.1:${port}/?agent=x`, {
      headers: { accept: "text/html" },
    });
    expect(page.headers.get("content-type")).toMatch("text/plain");
    expect(await page.text()).toBe(text);
  });

  it("/ws without a handshake says that it wants one, and other paths that nothing is there", async () => {
    const { port } = await startGateway({});
    expect((await fetch(`http://127.0.0.1:${port}/ws?agent=x`)).status).toBe(426);
    const missing = await fetch(`http://127.0.0.1:${port}/nothing`);
    expect([missing.status, await missing.json()]).toMatchObject([
      404,
      { error: { code: "NotFound" } },
    ]);
  });

  it("a foreign name is refused", async () => {
    const { port } = await startGateway({});
    const outgoing = httpRequest({
      host: "127.0.0.1",
      port,
      path: "/healthz",
      headers: { host: "rebound.example" },
    });
    outgoing.end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(403);
  });
});
