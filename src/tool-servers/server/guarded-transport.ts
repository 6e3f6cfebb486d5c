/**
 * The way of requests to servers of tools. It connects to addresses that the tool may have and to no others, follows redirects only
 * within the origin, and knows of a request that failed whether the server may have got it.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createBrotliDecompress, createUnzip } from "node:zlib";
import { addressPolicy, type AllowedAddresses } from "../../network/address-verdict.ts";
import { guardedLookup, isRefusedHost } from "../../network/guarded-lookup.ts";
import type { Clock } from "../../time/clock.ts";
import { MAX_TOOL_CONNECT_MS, MAX_TOOL_REDIRECTS } from "./limits.ts";
import { TransportError, transportError } from "./transport-error.ts";

export interface TransportRequest {
  readonly url: URL;
  readonly method: string;
  /** The names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface TransportResponse {
  readonly status: number;
  /** The names are in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decompressed. Who does not read it to its end destroys it. */
  readonly body: Readable;
}

export interface GuardedTransport {
  /** Resolves with the head of the answer. Rejects with a TransportError, or when the signal is aborted. */
  send(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse>;
}

/** A connection that nobody uses is closed after this time, before most servers close it and a request meets the end of it. */
const IDLE_CONNECTION_MS = 4_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function createTransport(
  allowed: AllowedAddresses,
  clock: Pick<Clock, "setTimer">,
): GuardedTransport {
  const policy = addressPolicy(allowed);
  const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS, lookup: guardedLookup(policy) };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };

  /** Another origin must not see the credential and the arguments. */
  async function send(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse> {
    let { url, method, body } = request;
    if (isRefusedHost(url.hostname, policy)) {
      throw new TransportError("address_refused", { mayBeReceived: false });
    }
    for (let redirects = 0; redirects <= MAX_TOOL_REDIRECTS; redirects += 1) {
      const response = await sendOnce({ ...request, url, method, body }, signal);
      const status = response.statusCode ?? 0;
      const location = REDIRECTS.has(status) ? response.headers.location : undefined;
      if (location === undefined) {
        return { status, headers: response.headers, body: decompressed(response) };
      }
      response.resume().destroy();
      const target = URL.parse(location, url);
      if (target?.origin !== url.origin) {
        throw new TransportError("other_origin", { mayBeReceived: true });
      }
      url = target;
      if (status === 303 || (method === "POST" && status < 303)) {
        method = "GET";
        body = undefined;
      }
    }
    throw new TransportError("too_many_redirects", { mayBeReceived: true });
  }

  function sendOnce(
    { url, method, headers: given, body }: TransportRequest,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    // Node says it by itself only of methods that usually have a body.
    const headers =
      body === undefined ? given : { ...given, "content-length": String(Buffer.byteLength(body)) };
    const isSecure = url.protocol === "https:";
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    let mayBeReceived = false;
    const outgoing = isSecure
      ? httpsRequest(url, { method, headers, signal, agent: agents.https })
      : httpRequest(url, { method, headers, signal, agent: agents.http });
    const late = clock.setTimer(MAX_TOOL_CONNECT_MS, () => {
      if (mayBeReceived) return;
      outgoing.destroy(new TransportError("connect_timeout", { mayBeReceived: false }));
    });
    const onConnected = (): void => {
      mayBeReceived = true;
      late.cancel();
    };
    outgoing.once("socket", (socket: Socket & { secureConnecting?: boolean }) => {
      const isConnecting = isSecure ? socket.secureConnecting === true : socket.connecting;
      if (isConnecting) socket.once(isSecure ? "secureConnect" : "connect", onConnected);
      else onConnected();
    });
    outgoing.once("response", resolve);
    outgoing.on("error", (error) => reject(transportError(error, mayBeReceived)));
    outgoing.once("close", () => late.cancel());
    outgoing.end(body);
    return promise;
  }

  return { send };
}

function decompressed(response: IncomingMessage): Readable {
  const encoding = response.headers["content-encoding"]?.trim().toLowerCase();
  const decompress =
    encoding === "br"
      ? createBrotliDecompress()
      : encoding === "gzip" || encoding === "x-gzip" || encoding === "deflate"
        ? createUnzip()
        : undefined;
  // Who reads the stream is told of what breaks it.
  return decompress === undefined ? response : pipeline(response, decompress, () => {});
}
