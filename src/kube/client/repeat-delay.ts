/** When the client sends a failed request again without being told to. */
import { ApiError, ConnectionError, isTooManyRequests } from "./api-error.ts";
import { exponentialBackoff, jittered } from "../../time/backoff.ts";
import type { TransportRequest } from "./transport.ts";

export const MAX_REPEATS = 10;
/** No repeat begins later than this after the first try. */
export const REPEATING_MS = 30_000;

const backoff = exponentialBackoff({ firstMs: 100, lastMs: 5_000 });

export interface FailedRequest {
  method: TransportRequest["method"];
  error: unknown;
  /** How often it was repeated already. */
  repeats: number;
  /** The time since the first try. */
  elapsedMs: number;
}

/**
 * How long to wait before the next try, in milliseconds. `undefined`: the caller has to deal with the failure.
 *
 * A read is repeated whenever it got no answer or the server failed. A write is repeated only when it was certainly not carried
 * out: it never left this process, or the server turned it away and asked the client to try again.
 */
export function repeatDelay(failed: FailedRequest, random: () => number): number | undefined {
  const { method, error, repeats, elapsedMs } = failed;
  if (repeats >= MAX_REPEATS) return undefined;
  if (!(method === "GET" ? mayPass(error) : wasNotCarriedOut(error))) return undefined;
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  // The server asks every client to wait for the same time. The random part is added to it, so that nobody comes too early.
  const delay = Math.max(asked * (1 + random() / 4), jittered(backoff, random)(repeats + 1));
  return elapsedMs + delay > REPEATING_MS ? undefined : delay;
}

function mayPass(error: unknown): boolean {
  return (
    error instanceof ConnectionError ||
    isTooManyRequests(error) ||
    (error instanceof ApiError && error.status >= 500)
  );
}

function wasNotCarriedOut(error: unknown): boolean {
  if (error instanceof ConnectionError) return !error.wasSent;
  if (!(error instanceof ApiError)) return false;
  // While the API server starts or ends, it turns requests away with 503 and a time to wait. A 503 without such a time comes from
  // a proxy that lost its server, perhaps in the middle of the request.
  return isTooManyRequests(error) || (error.status === 503 && error.retryAfterMs !== undefined);
}
