import { type IncomingMessage, request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import type { KubeConfig } from "@kubernetes/client-node";
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import { ConnectionError } from "./api-error.ts";
import { type Authentication, Credentials, type TlsOptions } from "./credentials.ts";

/** A connection that is not made within this time is given up. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** The other end of a silent connection is probed after this time; without an answer for ten more seconds it is taken for dead. */
const KEEP_ALIVE_MS = 30_000;
/** The number of connections for requests other than watches. A request beyond it waits, so that a burst leaves no hundreds behind. */
export const MAX_CONNECTIONS = 16;
/** A connection on which no byte of an answer comes within this time is taken for dead. */
export const RESPONSE_TIMEOUT_MS = 30_000;

export interface TransportRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  path: string;
  headers?: Record<string, string> | undefined;
  body?: string | undefined;
  /** A watch, which keeps its connection for minutes. It has one of its own, and waits for no other request. */
  isWatch?: boolean | undefined;
  /** Called once the connection is made, right before the first byte. When it throws, the request ends unsent. */
  beforeSending?: (() => void) | undefined;
  signal: AbortSignal;
}

/** Carries one request to the API server. Rejects with ConnectionError when there is no answer. */
export interface Transport {
  send(request: TransportRequest): Promise<IncomingMessage>;
  close(): void;
}

/**
 * A transport that takes server, credentials and proxy from a kubeconfig, or from the pod it runs in. Connections are kept while
 * the TLS material stays the same. A request that is refused with 401 is sent once more if its credentials can be renewed.
 */
export function createTransport(
  kubeConfig: KubeConfig,
  clock: Pick<Clock, "setTimer" | "now"> = systemClock,
): Transport {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new Error("the kubeconfig names no current cluster");
  const server = new URL(cluster.server);
  const secure = server.protocol === "https:";
  const request = secure ? httpsRequest : httpRequest;
  const host = server.hostname.replace(/^\[|\]$/g, "");
  const port = server.port === "" ? (secure ? 443 : 80) : server.port;
  const root = server.pathname.replace(/\/$/, "");
  const proxied = cluster.proxyUrl !== undefined && cluster.proxyUrl !== "";
  const credentials = new Credentials(kubeConfig, clock);
  let agents: { readonly watches: Agent; readonly others: Agent } | undefined;
  /** What the agents were made for. */
  let known: Authentication | undefined;

  /** Agents of our own, because client-node's neither keeps connections alive nor notices a renewed certificate. */
  const agentFor = (authentication: Authentication, isWatch: boolean): Agent => {
    if (agents === undefined || known === undefined || !isSameMaterial(authentication, known)) {
      // Requests on the old connections go on to their end.
      for (const agent of Object.values(agents ?? {})) {
        for (const idle of Object.values(agent.freeSockets)) idle?.forEach(destroy);
      }
      const material = materialOf(authentication);
      const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, ...material };
      agents = {
        watches: new ServerAgent(options),
        others: new ServerAgent({ ...options, maxSockets: MAX_CONNECTIONS }),
      };
    }
    known = authentication;
    return isWatch ? agents.watches : agents.others;
  };

  const authenticate = async (signal: AbortSignal): Promise<Authentication> => {
    try {
      return await credentials.get(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      throw new ConnectionError("the credentials of the kubeconfig could not be had", {
        cause: error,
        wasSent: false,
      });
    }
  };

  const sendAs = (
    authentication: Authentication,
    { method, path, headers, body, isWatch = false, beforeSending, signal }: TransportRequest,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const agent = proxied
        ? authentication.agent
        : secure
          ? agentFor(authentication, isWatch)
          : undefined;
      const sent = request({
        method,
        host,
        port,
        path: root + path,
        headers: {
          accept: "application/json",
          ...authentication.headers,
          ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
          ...headers,
        },
        auth: authentication.auth,
        agent,
      });
      let wasSent = false;
      // For the connection, and then for the answer.
      let limit: Timer | undefined;
      const fail = (cause: Error): void => {
        const message = `no answer from the API server: ${cause.message}`;
        reject(new ConnectionError(message, { cause, wasSent }));
      };
      /** A request without a connection tells nobody that it was destroyed, so the caller is told here. */
      const giveUpAfter = (ms: number, what: string): Timer =>
        clock.setTimer(ms, () => {
          fail(new Error(`no ${what} within ${ms / 1000} s`));
          sent.destroy();
        });
      const begin = (): void => {
        limit?.cancel();
        try {
          beforeSending?.();
        } catch (error) {
          reject(error);
          sent.destroy();
          return;
        }
        limit = giveUpAfter(RESPONSE_TIMEOUT_MS, "answer");
        wasSent = true;
        sent.end(body);
      };
      const connect = (): void => {
        limit ??= giveUpAfter(CONNECT_TIMEOUT_MS, "connection");
      };
      // Node would have a signal watched with much more for each request, and for each answer again.
      const abort = (): void => {
        reject(signal.reason);
        sent.destroy();
      };
      signal.addEventListener("abort", abort, { once: true });
      // A proxy's agent gives a socket once that is connected to the proxy, and ours gives one when it is this request's turn.
      if (proxied) connect();
      sent.on("socket", (socket) => {
        // Connections of our own agents are probed as soon as an answer has come, which for a watch is its end.
        if (isWatch || !(agent instanceof ServerAgent)) socket.setKeepAlive(true, KEEP_ALIVE_MS);
        if (isConnected(socket)) return begin();
        connect();
        socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", begin);
      });
      sent.on("response", (response) => {
        // From here on the reader decides how long silence may last.
        limit?.cancel();
        resolve(response);
      });
      sent.on("close", () => {
        limit?.cancel();
        signal.removeEventListener("abort", abort);
      });
      sent.on("error", fail);
    });

  return {
    async send(asked) {
      const authentication = await authenticate(asked.signal);
      const response = await sendAs(authentication, asked);
      if (response.statusCode !== 401 || !credentials.renew(authentication)) return response;
      response.resume();
      return await sendAs(await authenticate(asked.signal), asked);
    },
    close() {
      agents?.watches.destroy();
      agents?.others.destroy();
    },
  };
}

/**
 * All its connections are to the same server with the same TLS material. Node would put the whole material into a name, several times for
 * each request, to tell connections apart.
 */
class ServerAgent extends Agent {
  override getName(): string {
    return "the API server";
  }
}

const TLS_FIELDS = ["ca", "cert", "key", "rejectUnauthorized", "servername"] as const;

/** Without absent values, because one that is there but undefined would take the place of Node's default. */
function materialOf(authentication: Authentication): TlsOptions {
  const fields = TLS_FIELDS.filter((field) => authentication[field] !== undefined);
  return Object.fromEntries(fields.map((field) => [field, authentication[field]]));
}

function isSameMaterial(one: Authentication, other: Authentication): boolean {
  if (one === other) return true;
  return TLS_FIELDS.every((field) => isDeepStrictEqual(one[field], other[field]));
}

function destroy(socket: Socket): void {
  socket.destroy();
}

/**
 * Whether the connection is made and its TLS handshake is done. Bytes that are written earlier wait in this process, and go out
 * whenever the connection is made.
 */
function isConnected(socket: Socket): boolean {
  if (socket.connecting) return false;
  if (!(socket instanceof TLSSocket)) return true;
  const protocol = socket.getProtocol();
  return protocol !== null && protocol !== "unknown";
}
