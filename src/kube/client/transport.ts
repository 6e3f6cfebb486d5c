import { type IncomingMessage, type RequestOptions, request as httpRequest } from "node:http";
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
  clock: Pick<Clock, "setTimer"> = systemClock,
): Transport {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new Error("the kubeconfig names no current cluster");
  const server = new URL(cluster.server);
  const proxied = cluster.proxyUrl !== undefined && cluster.proxyUrl !== "";
  const credentials = new Credentials(kubeConfig);
  let agents: { readonly watches: Agent; readonly others: Agent } | undefined;
  let material: TlsOptions = {};

  /** Agents of our own, because client-node's neither keeps connections alive nor notices a renewed certificate. */
  const agentFor = (authentication: Authentication, isWatch: boolean): Agent => {
    const tlsOptions = tlsOptionsOf(authentication);
    if (agents === undefined || !isDeepStrictEqual(tlsOptions, material)) {
      // Requests on the old connections go on to their end.
      for (const agent of Object.values(agents ?? {})) {
        for (const idle of Object.values(agent.freeSockets)) idle?.forEach(destroy);
      }
      material = tlsOptions;
      const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, ...tlsOptions };
      agents = {
        watches: new ServerAgent(options),
        others: new ServerAgent({ ...options, maxSockets: MAX_CONNECTIONS }),
      };
    }
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

  const sendAs = async (
    authentication: Authentication,
    { method, path, headers, body, isWatch = false, beforeSending, signal }: TransportRequest,
  ): Promise<IncomingMessage> => {
    const secure = server.protocol === "https:";
    const options: RequestOptions = {
      method,
      host: server.hostname.replace(/^\[|\]$/g, ""),
      port: server.port === "" ? (secure ? 443 : 80) : server.port,
      path: server.pathname.replace(/\/$/, "") + path,
      headers: {
        accept: "application/json",
        ...authentication.headers,
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
        ...headers,
      },
      auth: authentication.auth,
      agent: proxied
        ? authentication.agent
        : secure
          ? agentFor(authentication, isWatch)
          : undefined,
      signal,
    };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = (secure ? httpsRequest : httpRequest)(options);
      let wasSent = false;
      const connect = (): Timer =>
        clock.setTimer(CONNECT_TIMEOUT_MS, () => {
          sent.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
        });
      // A proxy's agent gives a socket once that is connected to the proxy, and ours gives one when it is this request's turn.
      let connecting = proxied ? connect() : undefined;
      sent.once("close", () => connecting?.cancel());
      const begin = (): void => {
        connecting?.cancel();
        try {
          beforeSending?.();
        } catch (error) {
          reject(error);
          sent.destroy();
          return;
        }
        wasSent = true;
        sent.end(body);
      };
      sent.setTimeout(RESPONSE_TIMEOUT_MS, () => {
        sent.destroy(new Error(`no answer within ${RESPONSE_TIMEOUT_MS / 1000} s`));
      });
      sent.once("socket", (socket) => {
        connecting ??= connect();
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        onceConnected(socket, begin);
      });
      sent.once("response", (response) => {
        // From here on the reader decides how long silence may last.
        sent.setTimeout(0);
        resolve(response);
      });
      sent.on("error", (error) => {
        if (signal.aborted) reject(signal.reason as Error);
        else
          reject(
            new ConnectionError(`no answer from the API server: ${error.message}`, {
              cause: error,
              wasSent,
            }),
          );
      });
    });
  };

  return {
    async send(request) {
      const authentication = await authenticate(request.signal);
      const response = await sendAs(authentication, request);
      if (response.statusCode !== 401 || !credentials.renew(authentication)) return response;
      response.resume();
      return await sendAs(await authenticate(request.signal), request);
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

/** Without absent values, because one that is there but undefined would take the place of Node's default. */
function tlsOptionsOf(authentication: Authentication): TlsOptions {
  const { ca, cert, key, rejectUnauthorized, servername } = authentication;
  const options = Object.entries({ ca, cert, key, rejectUnauthorized, servername });
  return Object.fromEntries(options.filter(([, value]) => value !== undefined));
}

function destroy(socket: Socket): void {
  socket.destroy();
}

/**
 * Calls back once the connection is made and its TLS handshake is done. Bytes that are written earlier wait in this process, and go
 * out whenever the connection is made.
 */
function onceConnected(socket: Socket, callback: () => void): void {
  if (socket instanceof TLSSocket) {
    if (hasFinishedHandshake(socket)) callback();
    else socket.once("secureConnect", callback);
  } else if (socket.connecting) socket.once("connect", callback);
  else callback();
}

function hasFinishedHandshake(socket: TLSSocket): boolean {
  const protocol = socket.getProtocol();
  return !socket.connecting && protocol !== null && protocol !== "unknown";
}
