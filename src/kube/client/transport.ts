import { createHash } from "node:crypto";
import { type IncomingMessage, type RequestOptions, request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { KubeConfig } from "@kubernetes/client-node";
import { ConnectionError } from "./api-error.ts";
import { type Authentication, Credentials } from "./credentials.ts";
import { systemClock } from "../../time/clock.ts";

/** The connection must stand by then. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** A silent connection is tried after this, and is taken for dead when the other end says nothing for ten seconds more. */
const KEEP_ALIVE_MS = 30_000;
/** No byte of an answer within this time: the connection is taken for dead. */
export const RESPONSE_TIMEOUT_MS = 30_000;

export interface TransportRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** Called once the connection stands, right before the first byte; what it throws ends the request unsent. */
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
 * the TLS material stays the same. Who is refused as unknown comes again once, if its credentials can be renewed.
 */
export function createTransport(kubeConfig: KubeConfig): Transport {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new Error("the kubeconfig names no current cluster");
  const server = new URL(cluster.server);
  const proxied = cluster.proxyUrl !== undefined && cluster.proxyUrl !== "";
  const credentials = new Credentials(kubeConfig);
  let agent: Agent | undefined;
  let material = "";

  /** Our own agent, for client-node's neither keeps connections alive nor notices a renewed certificate. */
  const agentFor = (authentication: Authentication): Agent => {
    const { ca, cert, key, rejectUnauthorized, servername } = authentication;
    const digest = createHash("sha256")
      .update(JSON.stringify([ca, cert, key, rejectUnauthorized, servername].map(String)))
      .digest("hex");
    if (agent === undefined || digest !== material) {
      // What is under way on the old connections goes on.
      for (const idle of Object.values(agent?.freeSockets ?? {})) idle?.forEach(destroy);
      material = digest;
      agent = new Agent({
        keepAlive: true,
        keepAliveMsecs: KEEP_ALIVE_MS,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
        ...(servername === undefined ? {} : { servername }),
      });
    }
    return agent;
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
    { method, path, headers, body, beforeSending, signal }: TransportRequest,
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
      ...(authentication.auth == null ? {} : { auth: authentication.auth }),
      ...(proxied && authentication.agent !== undefined ? { agent: authentication.agent } : {}),
      ...(!proxied && secure ? { agent: agentFor(authentication) } : {}),
      signal,
    };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = (secure ? httpsRequest : httpRequest)(options);
      let wasSent = false;
      const connecting = systemClock.setTimer(CONNECT_TIMEOUT_MS, () => {
        sent.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
      });
      sent.once("close", () => connecting.cancel());
      const begin = (): void => {
        connecting.cancel();
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
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        whenStanding(socket, begin);
      });
      sent.once("response", (response) => {
        // From here on the reader has its own idea of how long silence may last.
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
      agent?.destroy();
    },
  };
}

function destroy(socket: Socket): void {
  socket.destroy();
}

/**
 * Calls back once the connection is made, its handshake done. What is written before that waits in this process, and goes out
 * whenever the connection comes to stand.
 */
function whenStanding(socket: Socket, callback: () => void): void {
  if (socket instanceof TLSSocket) {
    if (isShaken(socket)) callback();
    else socket.once("secureConnect", callback);
  } else if (socket.connecting) socket.once("connect", callback);
  else callback();
}

function isShaken(socket: TLSSocket): boolean {
  const protocol = socket.getProtocol();
  return !socket.connecting && protocol !== null && protocol !== "unknown";
}
