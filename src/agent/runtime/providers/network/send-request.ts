/** Sends one request to a provider, by Node's own HTTP client. */
import { request as requestHttp, type ClientRequest, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { Clock } from "../../../../time/clock.ts";
import { traceHeaders } from "../../../../observability/tracing/active-span.ts";
import { PROVIDER_CONNECT_LIMIT_MS } from "../../../contracts/limits.ts";
import { ACCEPTED_ENCODINGS } from "./unpacked.ts";

export interface SentRequest {
  /** Ends the request and its answer. */
  destroy(): void;
  /** Rejects with a TypeError, as `fetch` does, whose cause is what went wrong. */
  readonly response: Promise<IncomingMessage>;
}

/**
 * Throws a TypeError when the address or a header is malformed. A redirect is not followed. `onResponse` is called when the head of
 * the answer has come.
 */
export function sendRequest(
  [address, init]: Parameters<typeof fetch>,
  clock: Pick<Clock, "setTimer">,
  onResponse: (response: IncomingMessage) => void,
): SentRequest {
  const url = new URL(address instanceof Request ? address.url : address);
  const headers = new Headers(init?.headers);
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", ACCEPTED_ENCODINGS);
  if (!headers.has("accept")) headers.set("accept", "*/*");
  for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
  const options = { method: init?.method ?? "GET", headers: Object.fromEntries(headers) };
  const isSecure = url.protocol === "https:";
  // The agents of Node keep connections for the next request, and know of proxies.
  const request = isSecure ? requestHttps(url, options) : requestHttp(url, options);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once("response", (response) => {
    onResponse(response);
    resolve(response);
  });
  request.on("error", (cause) => reject(new TypeError("fetch failed", { cause })));
  limitConnecting(request, isSecure, clock);
  // The packages send nothing else than text.
  request.end(init?.body as string | undefined);
  return { destroy: () => void request.destroy(), response: promise };
}

/** Without this a request would wait for minutes for a machine that is not there. */
function limitConnecting(
  request: ClientRequest,
  isSecure: boolean,
  clock: Pick<Clock, "setTimer">,
): void {
  request.once("socket", (socket) => {
    // The agent limits how long an idle connection is kept. A timer that each piece of an answer sets anew is of no use.
    socket.setTimeout(0);
    if (!socket.connecting) return;
    const timer = clock.setTimer(PROVIDER_CONNECT_LIMIT_MS, () => {
      request.destroy(Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" }));
    });
    socket.once(isSecure ? "secureConnect" : "connect", () => timer.cancel());
    request.once("close", () => timer.cancel());
  });
}
