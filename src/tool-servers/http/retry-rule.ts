/** Decides whether a call of an HTTP tool that failed is made again. Nothing may be carried out twice that was asked for once. */
import type { TransportError } from "../server/transport-error.ts";

/** A call with one of these has the same effect when it comes twice. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "PUT", "DELETE"]);
/** A tool that answers with one of these may take the call later. */
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504]);
/** With a Retry-After these say that the call was not carried out. */
const PUT_OFF: ReadonlySet<number> = new Set([429, 503]);

export function mayTryAfterFailure(method: string, error: TransportError): boolean {
  switch (error.failure) {
    case "address_refused":
    case "other_protocol":
    case "other_origin":
    case "too_many_redirects":
      return false;
    case "connection_refused":
    case "unknown_host":
    case "lookup_failed":
    case "connect_timeout":
    case "broken_off":
    case "failed":
      return !error.mayBeReceived || IDEMPOTENT.has(method);
  }
}

/** `retryAfterMs` is what the answer asks for, if it asks for a wait that is short enough. */
export function mayTryAfterStatus(
  method: string,
  status: number,
  retryAfterMs: number | undefined,
): boolean {
  if (retryAfterMs !== undefined && PUT_OFF.has(status)) return true;
  return UNAVAILABLE.has(status) && IDEMPOTENT.has(method);
}

/** Reads the header Retry-After: seconds, or a date. `undefined`: there is none, or it asks for more than `mostMs`. */
export function readRetryAfter(
  header: string | undefined,
  { now, mostMs }: { now: number; mostMs: number },
): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Math.max(0, Date.parse(text) - now);
  return ms <= mostMs ? ms : undefined;
}
