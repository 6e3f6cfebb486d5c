/**
 * Connections to a port of a pod through the API server, as `kubectl port-forward` makes them. Each is a WebSocket whose messages begin
 * with the number of a channel: 0 has the bytes of the connection, 1 what went wrong. The first message of a channel says its port.
 */
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
import { WebSocket } from "ws";
import { ApiError, ConnectionError } from "./api-error.ts";
import { Credentials, type Authentication } from "./credentials.ts";
import { CONNECT_TIMEOUT_MS } from "./transport.ts";

const SUBPROTOCOL = "v4.channel.k8s.io";
const DATA_CHANNEL = 0;
const ERROR_CHANNEL = 1;
const PORT_BYTES = 2;
/** More than any message that a node sends. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * Opens a connection. It rejects with an ApiError when the API server refuses, and with a ConnectionError when it cannot be reached.
 * Whether the pod listens shows only later: the connection then fails with a ConnectionError. `signal` ends the attempt alone.
 */
export type OpenPortForward = (target: PodPort, signal: AbortSignal) => Promise<Duplex>;

export function createPortForwarder(kubeConfig: KubeConfig): OpenPortForward {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new Error("the kubeconfig names no current cluster");
  const server = new URL(cluster.server);
  const isProxied = cluster.proxyUrl !== undefined && cluster.proxyUrl !== "";
  const credentials = new Credentials(kubeConfig);
  /** The agent of client-node knows the proxy, and is of no use without one. */
  const authenticate = async (signal: AbortSignal): Promise<Authentication> => {
    const authentication = await credentials.get(signal);
    return isProxied ? authentication : { ...authentication, agent: undefined };
  };

  return async (target, signal) => {
    const url = urlOf(server, target);
    const authentication = await authenticate(signal);
    try {
      return await open(url, authentication, signal);
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401;
      if (!isRefused || !credentials.renew(authentication)) throw error;
      return await open(url, await authenticate(signal), signal);
    }
  };
}

function urlOf(server: URL, { namespace, pod, port }: PodPort): URL {
  const root = server.pathname.replace(/\/$/, "");
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const url = new URL(`${root}${path}?ports=${port}`, server);
  url.protocol = server.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

async function open(
  url: URL,
  authentication: Authentication,
  signal: AbortSignal,
): Promise<Duplex> {
  const { headers, auth, agent, ca, cert, key, rejectUnauthorized, servername } = authentication;
  const socket = new WebSocket(url, SUBPROTOCOL, {
    headers,
    ...(auth == null ? {} : { auth }),
    ...(agent === undefined || typeof agent === "boolean" ? {} : { agent }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const stream = new ForwardedStream(socket);
  const opened = Promise.withResolvers<void>();
  const stop = (): void => opened.reject(signal.reason);
  socket.once("open", () => opened.resolve());
  socket.once("unexpected-response", (_request, response) => {
    refusalOf(response).then(opened.reject, opened.reject);
  });
  stream.once("error", opened.reject);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    await opened.promise;
    return stream;
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stream.off("error", opened.reject);
  }
}

async function refusalOf(response: IncomingMessage): Promise<ApiError> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_REFUSAL_BYTES) break;
  }
  const { statusCode = 0, headers } = response;
  return ApiError.fromResponse(
    statusCode,
    Buffer.concat(chunks).toString(),
    headers["retry-after"],
  );
}

/** The bytes of the connection. This form of the protocol has no end of one direction alone, so the end of one is that of both. */
class ForwardedStream extends Duplex {
  readonly #socket: WebSocket;
  /** The channels that have said their port. */
  readonly #begun = new Set<number>();

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#take(data));
    socket.on("close", () => this.push(null));
    socket.on("error", (error) => {
      const why = `no connection through the API server: ${error.message}`;
      this.destroy(new ConnectionError(why, { cause: error }));
    });
  }

  #take(message: Buffer): void {
    const channel = message[0];
    if (channel === undefined) return;
    const isFirst = !this.#begun.has(channel);
    this.#begun.add(channel);
    const content = message.subarray(1 + (isFirst ? PORT_BYTES : 0));
    if (content.length === 0) return;
    if (channel === ERROR_CHANNEL) this.destroy(new ConnectionError(content.toString()));
    if (channel === DATA_CHANNEL && !this.push(content)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(DATA_CHANNEL), chunk]), done);
  }

  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}
