/**
 * One entrance to many agents: `/` and `/ws` lead to a replica of `?agent=&namespace=`, and a small HTTP API tells what runs. The
 * gateway knows neither processes nor pods, because it asks its source at each connection.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Log } from "../observability/log.ts";
import { isLoopback } from "../protocol/origin.ts";
import { Access } from "./access.ts";
import { ConnectionBook } from "./connection-book.ts";
import { gatewayApp } from "./http-api.ts";
import type { GatewaySource } from "./gateway-source.ts";
import { hostRule, THIS_MACHINE, type HostRule } from "./host-rule.ts";
import { judgeHost, judgeOrigin, judgeUpgrade } from "./judge-upgrade.ts";
import { refuseUpgrade, type GatewayRefusal } from "./refusal.ts";
import { orderEndpoints, type AgentReference, type Endpoint } from "./choose-replica.ts";
import {
  ConnectError,
  connectToEndpoint,
  runTunnel,
  type TunnelEnd,
  type TunnelLimits,
} from "./tunnel.ts";
import { clientAddress, forwardedHead, isWebSocketUpgrade } from "./upgrade-request.ts";

export interface GatewayLimits extends TunnelLimits {
  /** How many WebSocket connections may be open at one time, over all agents. */
  readonly maxConnections: number;
  /** The most bytes of the request line and the headers together. */
  readonly maxHeaderBytes: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  maxConnections: 10_000,
  maxHeaderBytes: 16 * 1024,
  connectTimeoutMs: 5_000,
  handshakeTimeoutMs: 15_000,
  halfClosedMs: 30_000,
};

/** How many other HTTP connections may be open at one time: pages, `status`, probes. */
const PLAIN_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 15_000;

export interface GatewayOptions {
  readonly source: GatewaySource;
  readonly log: Log;
  /** What the pages and the API want of those who read them, where others than the user of this machine may reach them. */
  readonly token: string;
  /** Names or addresses, without a port, under which requests are taken besides those that the gateway has by its address. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly limits?: Partial<GatewayLimits> | undefined;
}

export interface Gateway {
  /**
   * Rejects with the error of the socket, such as EADDRINUSE. `wantsToken` says whether the pages and the API want the token: they
   * do unless the gateway is on a loopback address and goes by no other name.
   */
  listen(address: { host: string; port: number }): Promise<{ port: number; wantsToken: boolean }>;
  /** Takes no new connections, and settles when the last one has closed. Connections are cut once `signal` aborts. */
  close(signal: AbortSignal): Promise<void>;
}

export function createGateway({
  source,
  log,
  token,
  allowedHosts = [],
  limits: given,
}: GatewayOptions): Gateway {
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...given };
  /** Known once it listens. */
  let listening: { hosts: HostRule; access: Access | undefined } | undefined;
  const book = new ConnectionBook();
  const closing = new AbortController();
  const upgradedSockets = new Set<Duplex>();

  const answer = getRequestListener(
    gatewayApp({
      source,
      refusalOf: (request) =>
        judgeHost(request, listening?.hosts) ?? judgeOrigin(request, [], listening?.hosts),
      access: () => listening?.access,
    }).fetch,
    { overrideGlobalObjects: false },
  );
  const server: Server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // A request for another upgrade, such as `h2c`, is also a plain request, and is answered as one.
      shouldUpgradeCallback: isWebSocketUpgrade,
    },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = limits.maxConnections + PLAIN_CONNECTIONS;
  server.on("upgrade", (request, socket, rest) => {
    // Until a tunnel takes over, a client that goes away must not end the process.
    socket.on("error", () => {});
    upgradedSockets.add(socket);
    socket.once("close", () => upgradedSockets.delete(socket));
    void passOn(request, socket, rest);
  });

  async function passOn(request: IncomingMessage, socket: Duplex, rest: Buffer): Promise<void> {
    const verdict = judgeUpgrade(request, {
      source,
      hosts: listening?.hosts,
      access: listening?.access,
      isClosing: closing.signal.aborted,
      connections: book.open,
      maxConnections: limits.maxConnections,
    });
    if ("code" in verdict) {
      refuseUpgrade(socket, verdict);
      return;
    }
    const { agent, route } = verdict;
    const endpoints = orderEndpoints(
      route.endpoints,
      route.affinity,
      clientAddress(request),
      (id) => book.load(id),
    );
    const end = await tunnelToFirst(endpoints, request, socket, rest);
    if (end === "replica-failed" || end === "replica-timeout") {
      log.warn(
        { agent: agent.name, namespace: agent.namespace, end },
        "a connection could not be passed on",
      );
      refuseUpgrade(socket, failureRefusal(end, agent));
    }
  }

  /** Tries the endpoints in turn until one accepts a connection. Only that one sees the request. */
  async function tunnelToFirst(
    endpoints: readonly Endpoint[],
    request: IncomingMessage,
    socket: Duplex,
    rest: Buffer,
  ): Promise<TunnelEnd | "client-left"> {
    const left = new AbortController();
    const onLeft = (): void => left.abort(new Error("the client has left"));
    socket.once("close", onLeft);
    for (const endpoint of endpoints) {
      using _connection = book.enter(endpoint);
      let replica: Socket;
      try {
        replica = await connectToEndpoint(endpoint, limits.connectTimeoutMs, left.signal);
      } catch (error) {
        if (!(error instanceof ConnectError)) return "client-left";
        log.debug({ error }, "trying the next replica");
        continue;
      }
      socket.off("close", onLeft);
      const head = forwardedHead(request, (name, value) =>
        listening?.access === undefined ? value : listening.access.withoutToken(name, value),
      );
      return await runTunnel(socket, replica, { head, rest }, limits);
    }
    return "replica-failed";
  }

  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, () => {
          server.off("error", reject);
          server.on("error", (error) => log.error({ error }, "the gateway's socket failed"));
          const { address, port: bound } = server.address() as AddressInfo;
          const hosts = hostRule({ address, given: host, allowedHosts, machine: THIS_MACHINE });
          const wantsToken = !hosts.isLoopback || !allowedHosts.every(isLoopback);
          listening = { hosts, access: wantsToken ? new Access(token, bound) : undefined };
          resolve({ port: bound, wantsToken });
        });
      }),
    close: (signal) =>
      new Promise((resolve) => {
        closing.abort();
        const cut = (): void => {
          server.closeAllConnections();
          for (const socket of upgradedSockets) socket.destroy();
        };
        server.close(() => {
          signal.removeEventListener("abort", cut);
          resolve();
        });
        if (signal.aborted) cut();
        else signal.addEventListener("abort", cut, { once: true });
      }),
  };
}

function failureRefusal(
  end: "replica-failed" | "replica-timeout",
  { name, namespace }: AgentReference,
): GatewayRefusal {
  const agent = `agent ${name} in namespace ${namespace}`;
  return end === "replica-failed"
    ? { code: "ReplicaFailed", message: `${agent}: its replica could not be reached; try again` }
    : {
        code: "ReplicaTimeout",
        message: `${agent}: its replica did not answer in time; try again`,
      };
}
