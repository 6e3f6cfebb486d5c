/** Sends the request of a run, and gives the bytes of its answer. It follows no redirect and sends no credential. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { traceHeaders } from "../../../observability/tracing/active-span.ts";
import type { Clock } from "../../../time/clock.ts";
import {
  RUNTIME_CONNECT_MS,
  RUNTIME_IDLE_LIMIT_MS,
  RUNTIME_LINGER_MS,
} from "../../contracts/limits.ts";
import { ProviderFailedError } from "../providers/provider-error.ts";

/** The runtime has not got the request. */
export class NotReceivedError extends Error {
  override readonly name = "NotReceivedError";
}

const HEADERS = { "content-type": "application/json", accept: "text/event-stream" };

export interface PostRunOptions {
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, "setTimer">;
  /** Whether the run has ended well. What the runtime does behind it is then let come to its end. */
  readonly hasEnded: () => boolean;
}

/**
 * Yields the pieces of the answer. Rejects with a NotReceivedError where the request may be made again, with a
 * ProviderFailedError, or with the signal's reason. The request is closed when the caller stops reading before the run has ended.
 */
export async function* postRun(
  url: URL,
  body: string,
  { signal, clock, hasEnded }: PostRunOptions,
): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  using silence = new Silence(clock);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  // Every run has a connection of its own, whose end tells the framework that nobody waits any more.
  const headers = { ...HEADERS, ...traceHeaders() };
  const outgoing = send(url, { method: "POST", headers, agent: false });
  const onAbort = (): void => void outgoing.destroy(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  let isConnected = false;
  outgoing.once("socket", (socket) => {
    socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
      isConnected = true;
      silence.heard();
    });
  });
  outgoing.once("response", resolve).on("error", reject);
  outgoing.once("upgrade", (_, socket) => {
    socket.destroy();
    reject(
      new ProviderFailedError("malformed", "malformed answer; it is not in the protocol AG-UI"),
    );
  });
  silence.watch(() => outgoing.destroy(new SilentError()), RUNTIME_CONNECT_MS);
  outgoing.end(body);
  try {
    const response = await promise;
    silence.heard();
    checkStatus(response);
    const chunks = response.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      silence.pause();
      yield chunk;
      silence.heard();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error, isConnected);
  } finally {
    signal.removeEventListener("abort", onAbort);
    outgoing.on("error", () => {});
    if (hasEnded() && !signal.aborted) linger(outgoing, await promise, clock);
    else outgoing.destroy();
  }
}

/** Frameworks save and report what was said behind the end of a run, and stop with that when the connection is closed. */
function linger(
  outgoing: ClientRequest,
  response: IncomingMessage,
  clock: Pick<Clock, "setTimer">,
): void {
  const timer = clock.setTimer(RUNTIME_LINGER_MS, () => outgoing.destroy());
  response
    .on("error", () => {})
    .once("close", () => timer.cancel())
    .resume();
}

class SilentError extends Error {}

/** The time since the runtime gave a sign of life. It does not run while the answer waits to be read. */
class Silence implements Disposable {
  readonly #clock: Pick<Clock, "setTimer">;
  #onSilent: () => void = () => {};
  #timer: { cancel(): void } | undefined;

  constructor(clock: Pick<Clock, "setTimer">) {
    this.#clock = clock;
  }

  watch(onSilent: () => void, ms: number): void {
    this.#onSilent = onSilent;
    this.#timer = this.#clock.setTimer(ms, onSilent);
  }

  heard(): void {
    this.pause();
    this.#timer = this.#clock.setTimer(RUNTIME_IDLE_LIMIT_MS, this.#onSilent);
  }

  pause(): void {
    this.#timer?.cancel();
  }

  [Symbol.dispose](): void {
    this.pause();
  }
}

function checkStatus({ statusCode: status = 0 }: IncomingMessage): void {
  if (status >= 200 && status < 300) return;
  if (status >= 300 && status < 400) {
    throw new ProviderFailedError("redirected", "the answer is a redirect, which is not followed");
  }
  throw status >= 500
    ? new ProviderFailedError("server_error", `the server failed with ${status}; try again`)
    : new ProviderFailedError("invalid_request", `the request was refused with ${status}`);
}

function failureOf(error: unknown, isConnected: boolean): Error {
  if (error instanceof ProviderFailedError) return error;
  if (error instanceof SilentError && isConnected) {
    const seconds = RUNTIME_IDLE_LIMIT_MS / 1_000;
    return new ProviderFailedError("silent", `timeout; nothing was sent for ${seconds} seconds`);
  }
  if (!isConnected) return new NotReceivedError("no connection", { cause: error });
  return new ProviderFailedError("interrupted", "the answer broke off before its end");
}
