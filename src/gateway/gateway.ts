/**
 * One entrance to many agents: `/` and `/ws` lead to a replica of `?agent=&namespace=`, `/agents/NAMESPACE/NAME/ws` to one of that
 * agent, and a small HTTP API tells what runs. The gateway knows neither processes nor pods, because it asks its source at each
 * connection.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { Log } from "../observability/log.ts";
import { isLoopback } from "../protocol/origin.ts";
import { systemClock } from "../time/clock.ts";
import { Access } from "./access.ts";
import type { ApiGateway, ApiHandler } from "./api-handler.ts";
import type { Callers } from "./caller.ts";
import { createClientAuthentication } from "./client-authentication.ts";
import {
  Connections,
  type ConnectionLimits,
  type Listening,
  type SignToken,
} from "./connections.ts";
import type { LocateSession, WakeAgent } from "./choose-replica.ts";
import type { ConsoleFiles } from "./console/console-files.ts";
import { NO_METRICS, type GatewayMetrics } from "./gateway-metrics.ts";
import { gatewayApp } from "./http-api.ts";
import type { GatewaySource } from "./gateway-source.ts";
import { clusterHostRule, hostRule, THIS_MACHINE } from "./host-rule.ts";
import { judgeHost, judgeOrigin } from "./judge-upgrade.ts";
import { ORIGIN_NOT_OF_GATEWAY } from "./refusal.ts";
import type { CurrentTracer } from "./request-span.ts";
import { isWebSocketUpgrade } from "./upgrade-request.ts";

export interface GatewayLimits extends ConnectionLimits {
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
/** TCP connections that the system may hold until the gateway accepts them. */
const LISTEN_BACKLOG = 1_024;

/** What a gateway is that stands before the agents of a cluster, and not on the machine of its user. */
export interface ClusterFront {
  /** Pages that may connect to every agent, besides those that an agent names. */
  readonly allowedOrigins: readonly string[];
  /** Undefined: agents alone ask who their clients are. */
  readonly authenticator: Authenticator | undefined;
  /** With it, clients may come with tokens of the cluster. */
  readonly callers: Callers | undefined;
  /** Proves to agents who a client is that the gateway knows. */
  readonly signToken: SignToken | undefined;
  readonly metrics: GatewayMetrics;
  /** Undefined: agents are not started for their clients. */
  readonly wake?: WakeAgent | undefined;
}

export interface GatewayOptions {
  readonly source: GatewaySource;
  readonly log: Log;
  /** What the pages and the API want of those who read them, where others than the user of this machine may reach them. */
  readonly token: string;
  /** Names or addresses, without a port, under which requests are taken besides those that the gateway has by its address. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly limits?: Partial<GatewayLimits> | undefined;
  /** Undefined: it stands on the machine of its user. */
  readonly cluster?: ClusterFront | undefined;
  /** The page that it serves at `/`. */
  readonly console?: ConsoleFiles | undefined;
  /** Without it a session that a client names leads to no replica. */
  readonly locateSession?: LocateSession | undefined;
  /** Without it no traces are exported. */
  readonly tracer?: CurrentTracer | undefined;
  /** Without it the gateway has no HTTP API. */
  readonly api?: ((gateway: ApiGateway) => ApiHandler) | undefined;
}

export interface Gateway {
  /**
   * Rejects with the error of the socket, such as EADDRINUSE. `wantsToken` says whether the pages and the API want the token: they
   * do unless the gateway is on a loopback address and goes by no other name.
   */
  listen(address: {
    /** Undefined: all addresses. */
    host?: string | undefined;
    port: number;
  }): Promise<{ port: number; wantsToken: boolean }>;
  /** Closes the connections whose client would not be let in any more. Never rejects. */
  review(signal: AbortSignal): Promise<void>;
  /** Takes no new connections, and ends those that are open one after the other. Settles when none is left, or the grace is over. */
  drain(graceMs: number, signal: AbortSignal): Promise<void>;
  /** Takes no new connections, and settles when the last one has closed. Connections are cut once `signal` aborts. */
  close(signal: AbortSignal): Promise<void>;
}

export function createGateway({
  source,
  log,
  token,
  allowedHosts = [],
  limits: given,
  cluster,
  console,
  locateSession,
  tracer = () => undefined,
  api,
}: GatewayOptions): Gateway {
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...given };
  /** Known once it listens. */
  let listening: Listening | undefined;
  const closing = new AbortController();
  const connections = new Connections({
    source,
    log,
    clock: systemClock,
    limits,
    metrics: cluster?.metrics ?? NO_METRICS,
    allowedOrigins: cluster?.allowedOrigins ?? [],
    authentication: createClientAuthentication({
      authenticator: cluster?.authenticator,
      callers: cluster?.callers,
      clock: systemClock,
      log,
    }),
    signToken: cluster?.signToken,
    wake: cluster?.wake,
    locateSession,
    namesAgents: cluster === undefined,
    tracer,
  });

  const answer = getRequestListener(
    gatewayApp({
      source,
      refusalOf: (request) =>
        judgeHost(request, listening?.hosts) ??
        (judgeOrigin(request, [], listening?.hosts) && ORIGIN_NOT_OF_GATEWAY),
      access: () => listening?.access,
      isClosed: cluster !== undefined,
      console,
      api: api?.({
        route: (agent) => source.resolve(agent),
        connections: (endpoint) => connections.to(endpoint),
        tracer,
        closing: closing.signal,
      }),
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
    void connections.take(request, socket, rest, listening);
  });

  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
          server.off("error", reject);
          server.on("error", (error) => log.error({ error }, "the gateway's socket failed"));
          const { address, port: bound } = server.address() as AddressInfo;
          const hosts =
            cluster === undefined
              ? hostRule({ address, given: host ?? address, allowedHosts, machine: THIS_MACHINE })
              : clusterHostRule(allowedHosts);
          const isPrivate = hosts.isLoopback && allowedHosts.every(isLoopback);
          const wantsToken = cluster === undefined && !isPrivate;
          listening = { hosts, access: wantsToken ? new Access(token) : undefined };
          resolve({ port: bound, wantsToken });
        });
      }),
    review: (signal) => connections.review(signal),
    drain: (graceMs, signal) => {
      connections.refuseNew();
      closing.abort();
      server.close();
      return connections.drain(graceMs, signal);
    },
    close: (signal) =>
      new Promise((resolve) => {
        connections.refuseNew();
        closing.abort();
        const cut = (): void => {
          server.closeAllConnections();
          connections.destroy();
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
