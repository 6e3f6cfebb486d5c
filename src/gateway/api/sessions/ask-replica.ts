/** Asks one replica of an agent something over HTTP, at the port of its facade. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Clock } from "../../../time/clock.ts";
import { Deadline } from "../../../time/deadline.ts";
import { GATEWAY_TOKEN_HEADER } from "../../../agent-config/gateway-token.ts";
import type { Endpoint } from "../../choose-replica.ts";

/** A session with its whole history stays below. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface ReplicaRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  /** Proves to the agent who asks, and for what. */
  readonly token: string;
  /** JSON. */
  readonly body?: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface ReplicaAnswer {
  readonly status: number;
  readonly text: string;
}

/** The replica gave no answer, or not all of it. */
export class ReplicaError extends Error {
  override readonly name = "ReplicaError";
  /** Whether the request may have been carried out. */
  readonly mayBeDone: boolean;

  constructor(message: string, { mayBeDone, cause }: { mayBeDone: boolean; cause?: unknown }) {
    super(message, { cause });
    this.mayBeDone = mayBeDone;
  }
}

/** Rejects with a ReplicaError, or with the reason of `signal` when that aborts. */
export async function askReplica(
  { host, port }: Endpoint,
  { method, path, token, body, timeoutMs, signal }: ReplicaRequest,
  clock: Pick<Clock, "setTimer">,
): Promise<ReplicaAnswer> {
  using deadline = new Deadline({ ms: timeoutMs, clock, signal });
  let isConnected = false;
  try {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers: Record<string, string | number> = { [GATEWAY_TOKEN_HEADER]: token };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = Buffer.byteLength(body);
    }
    // It has an HTTP agent of its own, or it would go through the proxy that the environment may name.
    const request = httpRequest({
      host,
      port,
      method,
      path,
      headers,
      agent: false,
      signal: deadline.signal,
    });
    request.once("response", resolve).on("error", reject);
    request.once("socket", (socket) => socket.once("connect", () => (isConnected = true)));
    request.end(body);
    const response = await promise;
    return { status: response.statusCode ?? 0, text: await readAll(response) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const message = deadline.isOver ? "it did not answer in time" : "it could not be asked";
    throw new ReplicaError(message, { mayBeDone: isConnected, cause: error });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
