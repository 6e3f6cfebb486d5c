/** Gateways and replicas in the process of a test, each of which ends with the test. */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createLog } from "../../../src/observability/log.ts";
import { createGateway, type Gateway, type GatewayLimits } from "../../../src/gateway/gateway.ts";
import type { ResourceView } from "../../../src/gateway/gateway-source.ts";
import type {
  AgentReference,
  Endpoint,
  LocateSession,
  Route,
} from "../../../src/gateway/choose-replica.ts";

const log = createLog({ level: "silent" });
const TOKEN = "token-of-the-gateway";

interface Replica {
  endpoint: Endpoint;
  /** Heads of the handshakes that arrived. */
  handshakes: { url: string; headers: IncomingHttpHeaders }[];
  sockets: WebSocketServer["clients"];
  stop(): Promise<void>;
}

/** A replica that says its id, then echoes. With `refuse` it answers the handshake with 401. */
export async function startReplica(id: string, { refuse = false } = {}): Promise<Replica> {
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
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: { id, host: "127.0.0.1", port },
    handshakes,
    sockets: webSockets.clients,
    stop,
  };
}

export async function startGateway(
  routes: Record<string, Partial<Extract<Route, { status: "ready" }>> | Route>,
  options: {
    limits?: Partial<GatewayLimits>;
    host?: string;
    allowedHosts?: string[];
    resources?: ResourceView[];
    locateSession?: LocateSession;
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
    locateSession: options.locateSession,
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
  onTestFinished(() => gateway.close(AbortSignal.abort()));
  return { port, wantsToken, gateway };
}

export function open(
  port: number,
  target: string,
  options: { headers?: Record<string, string>; protocol?: string } = {},
) {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${target}`, options.protocol, {
    headers: options.headers ?? {},
  });
  webSocket.on("error", () => {});
  onTestFinished(() => webSocket.terminate());
  return webSocket;
}

export async function nextMessage(webSocket: WebSocket): Promise<string> {
  const [data] = (await once(webSocket, "message")) as [Buffer];
  return data.toString();
}

/** Opens a connection and answers the id of the replica that took it. */
export async function replicaOf(
  port: number,
  target: string,
  options?: Parameters<typeof open>[2],
): Promise<string> {
  return nextMessage(open(port, target, options));
}

export async function refusalOf(
  port: number,
  target: string,
  headers: Record<string, string> = {},
) {
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

/** A replica that takes connections and does with them what `behave` says. */
export async function startBareReplica(behave: (socket: Socket) => void): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    behave(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { id: "bare", host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}
