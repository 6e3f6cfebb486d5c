import { AddressRefusedError } from "../../network/guarded-lookup.ts";

export type TransportFailure =
  | "address_refused"
  | "connection_refused"
  | "unknown_host"
  | "lookup_failed"
  | "connect_timeout"
  | "broken_off"
  | "other_protocol"
  | "other_origin"
  | "too_many_redirects"
  | "failed";

/** A request that was not answered. Its message is for the model and the client, and names no address. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly failure: TransportFailure;
  /** Whether the server may have got the request, and so may have carried it out. */
  readonly mayBeReceived: boolean;

  constructor(failure: TransportFailure, options: { mayBeReceived: boolean; cause?: unknown }) {
    super(WORDS[failure], { cause: options.cause });
    this.failure = failure;
    this.mayBeReceived = options.mayBeReceived;
  }
}

/** The words of the network contain addresses, so other words stand in for them. */
const WORDS: Readonly<Record<TransportFailure, string>> = {
  address_refused: "the tool could not be reached: its address is not allowed for tools",
  connection_refused: "the tool could not be reached: the connection was refused",
  unknown_host: "the tool could not be reached: its host name is not known",
  lookup_failed: "the tool could not be reached: its host name could not be looked up",
  connect_timeout: "the tool could not be reached: connecting took too long",
  broken_off: "the tool could not be reached: the connection was broken off",
  other_protocol: "the tool could not be reached: what answers there does not speak HTTP/2",
  other_origin: "the tool redirects to another address, which is not followed",
  too_many_redirects: "the tool redirects again and again",
  failed: "the tool could not be reached: the connection failed",
};

const FAILURES: Readonly<Record<string, TransportFailure | undefined>> = {
  ECONNREFUSED: "connection_refused",
  ECONNRESET: "broken_off",
  EPIPE: "broken_off",
  ENOTFOUND: "unknown_host",
  EAI_AGAIN: "lookup_failed",
  ETIMEDOUT: "connect_timeout",
};

/** Where a name has several addresses, the first failure stands for all of them. */
export function transportError(error: unknown, mayBeReceived: boolean): TransportError {
  if (error instanceof TransportError) return error;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (first instanceof AddressRefusedError) {
    return new TransportError("address_refused", { mayBeReceived: false, cause: error });
  }
  const { code = "" } = first as { code?: string };
  return new TransportError(FAILURES[code] ?? "failed", { mayBeReceived, cause: error });
}
