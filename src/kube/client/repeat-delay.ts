/** When a client sends a request again by itself. */
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
  /** How often it was repeated before. */
  repeats: number;
  /** Since the first try. */
  elapsedMs: number;
}

/**
 * How long to wait before the next try, in milliseconds; undefined: the failure is the caller's to deal with.
 *
 * A read is repeated whenever it had no answer or the server failed. A write is repeated only when it was surely not carried
 * out: it never left this process, or the server turned it away and asked to come again.
 */
export function repeatDelay(failed: FailedRequest, random: () => number): number | undefined {
  const { method, error, repeats, elapsedMs } = failed;
  if (repeats >= MAX_REPEATS) return undefined;
  if (!(method === "GET" ? mayPass(error) : wasNotCarriedOut(error))) return undefined;
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  // All who were turned away are asked to wait equally long: they are spread beyond that, never before it.
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
  // With 503 and a time to wait the API server turns away what comes while it starts or ends; without, it is some proxy that
  // lost its server, perhaps in the middle of the request.
  return isTooManyRequests(error) || (error.status === 503 && error.retryAfterMs !== undefined);
}
