/** Makes the outcome of a call of what a gRPC server answered, or of why it did not answer. */
import { Code, ConnectError } from "@connectrpc/connect";
import { isTooDeep } from "../../promptpack/document/json-depth.ts";
import { SecretFilter } from "../../observability/secrets/secret-filter.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { MAX_TOOL_ERROR_BYTES } from "../server/limits.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { Attempt } from "../server/gated-calls.ts";
import { TransportError } from "../server/transport-error.ts";
import { withoutAddresses } from "../server/without-addresses.ts";

export interface AnswerLimits {
  readonly secrets: readonly string[];
  /** Bytes of an answer that are handed to the model. */
  readonly responseLimit: number;
}

/** `value` is the canonical JSON of the answer. What is too large is cut off, and stays text. */
export function answerOutcome(
  value: unknown,
  { secrets, responseLimit }: AnswerLimits,
): ToolOutcome {
  const text = withoutSecrets(JSON.stringify(value), secrets);
  if (Buffer.byteLength(text) > responseLimit) {
    return { result: `${cut(text, responseLimit)}\n[cut off after ${responseLimit} bytes]` };
  }
  if (isTooDeep(value)) return { result: text };
  return { result: secrets.length === 0 ? value : parsedOrText(text) };
}

/** Why a call was not answered. `isIdempotent`: it has the same effect when it comes twice. */
export function unansweredAttempt(
  error: unknown,
  {
    secrets,
    isIdempotent,
  }: { readonly secrets: readonly string[]; readonly isIdempotent: boolean },
): Attempt {
  const transport = causesOf(error).find((cause) => cause instanceof TransportError);
  if (transport !== undefined) {
    const { message, mayBeReceived, failure } = transport;
    const isLasting = failure === "address_refused" || failure === "other_protocol";
    return failed(message, !isLasting && (!mayBeReceived || isIdempotent));
  }
  if (!(error instanceof ConnectError)) return failed(UNREADABLE);
  if (error.isWireError) {
    const isUnavailable = error.code === Code.Unavailable;
    return {
      outcome: { error: statusText(error, secrets) },
      result: isUnavailable ? "failed" : "answered",
      mayTryAgain: isUnavailable && isIdempotent,
    };
  }
  const { rawMessage } = error;
  const [, status] = /^HTTP (\d+)$/.exec(rawMessage) ?? [];
  if (status !== undefined) {
    const isNotReached = NOT_REACHED.has(status);
    return {
      ...failed(`the tool answered HTTP ${status}, and not in gRPC`, isNotReached && isIdempotent),
      result: isNotReached ? "failed" : "answered",
    };
  }
  if (rawMessage.startsWith("unsupported content type")) {
    return failed("the tool answered something that is not gRPC");
  }
  // The server has said that it did not begin with the call.
  const wasRefused = rawMessage.includes("REFUSED_STREAM");
  const wasBroken = wasRefused || BROKEN.has(error.code);
  return failed(wasBroken ? BROKEN_OFF : UNREADABLE, wasRefused || (wasBroken && isIdempotent));
}

const NOT_REACHED: ReadonlySet<string> = new Set(["502", "503", "504"]);
const BROKEN: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.Internal,
  Code.Unavailable,
]);
const BROKEN_OFF = "the tool broke off in the middle of its answer";
const UNREADABLE = "the tool's answer could not be read: it does not fit what the tool says of it";

export function isTooLargeMessage(error: unknown): boolean {
  return (
    error instanceof ConnectError && !error.isWireError && error.code === Code.ResourceExhausted
  );
}

function failed(error: string, mayTryAgain = false): Attempt {
  return { outcome: { error }, result: "failed", mayTryAgain };
}

/** The message is the tool's own. A server that calls others may pass on an address in it. */
function statusText({ code, rawMessage }: ConnectError, secrets: readonly string[]): string {
  const name = STATUS_NAMES[code] ?? "UNKNOWN";
  const said = withoutAddresses(withoutSecrets(rawMessage, secrets)).trim();
  if (said === "") return `the tool answered ${name}`;
  const shown =
    Buffer.byteLength(said) > MAX_TOOL_ERROR_BYTES
      ? `${cut(said, MAX_TOOL_ERROR_BYTES)}\n[cut off after ${MAX_TOOL_ERROR_BYTES} bytes]`
      : said;
  return `the tool answered ${name}: ${shown}`;
}

const STATUS_NAMES: Readonly<Record<Code, string>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};

const MAX_CAUSES = 5;

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at instanceof Error && causes.length < MAX_CAUSES; at = at.cause) {
    causes.push(at);
  }
  return causes;
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  if (secrets.length === 0) return text;
  const filter = new SecretFilter(new SecretValues(secrets));
  return filter.add(text) + filter.end();
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Half a character at the cut is left out. */
function cut(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}
