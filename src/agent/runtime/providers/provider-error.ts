/**
 * Says what went wrong with a provider, in the words that people search for. What a provider or a library says may quote the
 * request, the key or an internal address, so none of its words are passed on or logged.
 */
import { TurnError } from "../../contracts/turn-error.ts";
import {
  MAX_ERROR_BODY_BYTES,
  MAX_ERROR_CAUSES,
  PROVIDER_IDLE_LIMIT_MS,
} from "../../contracts/limits.ts";
import { contextRefusalIn, saysContextTooLong, type ContextRefusal } from "./context-too-long.ts";
import { saysModelNotFound } from "./model-not-found.ts";
import { AnswerTooLargeError, ProviderSilentError } from "./network/provider-fetch.ts";
import { retryAfterOf } from "./retry-after.ts";
import { streamErrorOf } from "./stream-error.ts";
import { NotAStreamError } from "./stream/not-a-stream.ts";
import { saysToolsNotTaken } from "./tools-not-taken.ts";

export type ProviderFailureReason =
  | "key_refused"
  | "access_denied"
  | "model_not_found"
  | "context_too_long"
  | "invalid_request"
  | "quota_exceeded"
  | "rate_limited"
  | "redirected"
  | "overloaded"
  | "server_error"
  | "unreachable"
  | "silent"
  | "interrupted"
  | "malformed"
  | "unsuccessful_finish"
  | "too_large"
  | "empty"
  | "content_filter";

export interface ProviderFailure {
  reason: ProviderFailureReason;
  /** Follows the provider's name and a colon. */
  message: string;
  /** Whether the same request may succeed in a moment. */
  retryable: boolean;
  status?: number | undefined;
  retryAfterSeconds?: number | undefined;
  /** Set for `context_too_long`. */
  contextRefusal?: ContextRefusal | undefined;
  /** The body of the answer was empty. Some servers do so when the conversation is longer than the model takes. */
  mayBeTooLong?: boolean | undefined;
  /** The server's word for how its answer ended, short and harmless. */
  finishReason?: string | undefined;
  /** The code of a failed system call, or the name of an error that nobody expected. It goes to the log only. */
  code?: string | undefined;
}

/** A failure that the agent noticed itself: the provider's package threw no error. */
export class ProviderFailedError extends Error {
  override readonly name = "ProviderFailedError";
  readonly failure: ProviderFailure;

  constructor(
    reason: ProviderFailureReason,
    message: string,
    more: Pick<Partial<ProviderFailure>, "retryable" | "finishReason"> = {},
  ) {
    super(message);
    this.failure = failure(reason, message, more);
  }
}

/** What the client is told of a failure, and the failure itself for whoever can still do something about it. */
export class ProviderTurnError extends TurnError {
  readonly failure: ProviderFailure;

  constructor(
    failure: ProviderFailure,
    message: string,
    more: ConstructorParameters<typeof TurnError>[2],
  ) {
    super("PROVIDER_ERROR", message, more);
    this.failure = failure;
  }
}

export function providerTurnError(failure: ProviderFailure, provider: string): ProviderTurnError {
  const { reason, status, retryAfterSeconds, finishReason, code } = failure;
  const details = {
    reason,
    ...(finishReason === undefined ? {} : { finish_reason: finishReason }),
    ...(status === undefined ? {} : { status }),
    ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }),
  };
  // These stand in for the error itself, which contains the whole request and answer.
  const facts = [reason, finishReason, status, code].filter((fact) => fact !== undefined);
  return new ProviderTurnError(failure, `${provider}: ${failure.message}`, {
    details,
    cause: new Error(`the provider failed: ${facts.join(", ")}`),
  });
}

/** `modelId` is named in the message where it helps. `now` is needed for a retry-after that is a date. */
export function describeProviderFailure(
  error: unknown,
  context: { modelId: string; now: number },
): ProviderFailure {
  const chain = causesOf(error);
  for (const link of chain) {
    if (link instanceof ProviderFailedError) return link.failure;
    if (link instanceof ProviderSilentError) {
      return failure(
        "silent",
        `timeout; the provider sent nothing for ${PROVIDER_IDLE_LIMIT_MS / 1000} seconds`,
      );
    }
    if (link instanceof AnswerTooLargeError) {
      return failure("too_large", "the answer is larger than an agent takes");
    }
    if (link instanceof NotAStreamError) return notAStreamFailure(link, context);
  }
  const statuses = chain.flatMap((link) => numberIn(link, "statusCode") ?? []);
  const hadBegun = statuses.some((status) => status >= 200 && status < 300);
  const networkCode = chain.map(codeOf).find((code) => code !== undefined && isNetworkCode(code));
  if (networkCode !== undefined && !hadBegun) return networkFailure(networkCode);
  for (const link of chain) {
    const status = numberIn(link, "statusCode");
    if (status !== undefined && !hadBegun) return statusFailure(status, link, context);
  }
  if (chain.some((link) => MALFORMED_ERRORS.has(nameOf(link)))) {
    return failure("malformed", "malformed answer; it is not in the protocol of this provider");
  }
  // The body is not compressed as its header says. It has come all the same, and may have been paid for.
  const unpacking = chain.map(codeOf).find((code) => UNPACKING_CODE.test(code ?? ""));
  if (unpacking !== undefined) {
    return failure("malformed", "malformed answer; it could not be read", { code: unpacking });
  }
  if (hadBegun) {
    return failure("interrupted", "the answer broke off before its end", {
      retryable: true,
    });
  }
  const name = nameOf(error);
  if (name === "AI_APICallError") return networkFailure(name);
  return failure("malformed", "malformed answer; it could not be read", { code: name });
}

/** The answer may have been paid for, so the request is not made again. */
function notAStreamFailure(
  { what, status, contentType, error }: NotAStreamError,
  context: { modelId: string; now: number },
): ProviderFailure {
  const came = `${what} came instead of a stream of events (HTTP ${status}, ${contentType ?? "no content type"})`;
  const said = streamErrorOf(error);
  if (said !== undefined) {
    const failed = statusFailure(said.statusCode, said, context);
    return { ...failed, message: `${failed.message}; ${came}`, retryable: false };
  }
  if (what !== "an empty body") {
    return failure("malformed", `${came}; does baseURL lead to the API?`, { status });
  }
  const isAPI = contentType === "text/event-stream";
  const why = isAPI
    ? "is the conversation past its context length"
    : "does baseURL lead to the API";
  return failure("empty", `${came}; ${why}?`, { status, mayBeTooLong: true });
}

const UNPACKING_CODE = /^(Z_DATA_ERROR|ERR__ERROR_FORMAT|ERR_BROTLI|ZSTD_error)/;

const MALFORMED_ERRORS = new Set([
  "AI_JSONParseError",
  "AI_TypeValidationError",
  "AI_InvalidResponseDataError",
  "AI_EmptyResponseBodyError",
]);

function statusFailure(
  status: number,
  error: object,
  context: { modelId: string; now: number },
): ProviderFailure {
  const said = wordsOf(error);
  const retryAfterSeconds = retryAfterOf(error, context.now);
  // Google and xAI answer 400 for a key that they do not know.
  if (status === 401 || KEY_REFUSED.test(said)) {
    return failure("key_refused", `authentication (HTTP ${status}); the API key was refused`, {
      status,
    });
  }
  if (status === 402 || saysNotPaid(said, retryAfterSeconds)) {
    return failure(
      "quota_exceeded",
      `billing or quota (HTTP ${status}); the account has no quota or credit left`,
      { status },
    );
  }
  if (status === 403) {
    const why = isPage(error)
      ? "an HTML page came, as firewalls and proxies before an API send"
      : "this API key may not use the model";
    return failure("access_denied", `permission denied (HTTP ${status}); ${why}`, { status });
  }
  if (status >= 400 && status !== 404 && status !== 429 && saysContextTooLong(said, status)) {
    return failure(
      "context_too_long",
      `context length (HTTP ${status}); the message is longer than the model takes, even without the turns before it`,
      { status, contextRefusal: contextRefusalIn(said) },
    );
  }
  if (isRefusal(status) && saysToolsNotTaken(said)) {
    const why = "the model, or its server as it was started, takes no tools";
    return failure("invalid_request", `invalid request (HTTP ${status}); ${why}`, { status });
  }
  if (status === 404 || (isRefusal(status) && saysModelNotFound(said))) {
    const orElse = status === 404 ? ", or baseURL leads elsewhere" : "";
    return failure(
      "model_not_found",
      `model not found (HTTP ${status}); the provider does not know ${JSON.stringify(context.modelId)}${orElse}`,
      { status },
    );
  }
  if (FILTERED.test(said) && status !== 429) {
    return failure("content_filter", `content filter (HTTP ${status}); ask differently`, {
      status,
    });
  }
  if (status === 429) {
    const when = retryAfterSeconds === undefined ? "in a while" : `in ${retryAfterSeconds} s`;
    return failure("rate_limited", `rate limit (HTTP ${status}); try again ${when}`, {
      status,
      retryable: true,
      retryAfterSeconds,
    });
  }
  if (status < 400) {
    return failure(
      "redirected",
      `redirect (HTTP ${status}); baseURL leads to a redirect, which is not followed`,
      { status },
    );
  }
  if (isRefusal(status)) {
    const parameter = refusedParameterOf(error);
    const what =
      status === 405
        ? "; does baseURL lead to the API?"
        : parameter === undefined
          ? ""
          : `; its "${parameter}" is not accepted`;
    return failure("invalid_request", `invalid request (HTTP ${status})${what}`, { status });
  }
  const details = { status, retryable: true, retryAfterSeconds };
  if (status === 503 || status === 529) {
    return failure("overloaded", `overloaded (HTTP ${status}); try again in a moment`, details);
  }
  return failure("server_error", `server error (HTTP ${status}); try again in a moment`, details);
}

function isPage(error: object): boolean {
  const { responseBody } = error as { responseBody?: unknown };
  return typeof responseBody === "string" && /^\s*</.test(responseBody);
}

const KEY_REFUSED = /api[_ ]key[_ ](not valid|invalid)|(invalid|incorrect)[_ ]api[_ ]key/i;

/** The words with which providers refuse what a user wrote. */
const FILTERED =
  /\bcontent_filter\b|\bcontent_policy_violation\b|ResponsibleAIPolicyViolation|content management policy|data_inspection_failed/i;

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429;
}

const NOT_PAID =
  /insufficient[_ ](user_)?(quota|balance|credits?|funds)|credit balance|budget[_ ](has been )?exceeded/i;

/** Google sends people to their billing also for a limit that passes, and then says when. */
function saysNotPaid(said: string, retryAfterSeconds: number | undefined): boolean {
  if (NOT_PAID.test(said)) return true;
  return retryAfterSeconds === undefined && /billing/i.test(said);
}

function networkFailure(code: string): ProviderFailure {
  const why =
    NETWORK_FAILURES[code] ??
    (isCertificateCode(code) ? "TLS certificate not verified" : "connection failed");
  return failure("unreachable", `the provider could not be reached: ${why}`, {
    code,
    retryable: !isCertificateCode(code),
  });
}

const NETWORK_FAILURES: Record<string, string | undefined> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection reset",
  UND_ERR_SOCKET: "connection reset",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name lookup failed",
  ETIMEDOUT: "connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "connection timed out",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "no route to host",
};

function isNetworkCode(code: string): boolean {
  return code in NETWORK_FAILURES || isCertificateCode(code) || code.startsWith("UND_ERR_");
}

function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_(GET|VERIFY)/.test(code);
}

function failure(
  reason: ProviderFailureReason,
  message: string,
  more: Partial<Omit<ProviderFailure, "reason" | "message">> = {},
): ProviderFailure {
  return { reason, message, retryable: false, ...more };
}

/** The error and its causes, including those of an AggregateError (one for each address of a host). */
function causesOf(error: unknown): object[] {
  const found: object[] = [];
  const waiting = [error];
  while (waiting.length > 0 && found.length < MAX_ERROR_CAUSES) {
    const next = waiting.shift();
    if (typeof next !== "object" || next === null || found.includes(next)) continue;
    found.push(next);
    const { cause, errors } = next as { cause?: unknown; errors?: unknown };
    waiting.push(cause, ...(Array.isArray(errors) ? (errors as unknown[]) : []));
  }
  return found;
}

function nameOf(error: unknown): string {
  const name = typeof error === "object" && error !== null && "name" in error && error.name;
  return typeof name === "string" ? name : typeof error;
}

function codeOf(error: object): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}

function numberIn(error: object, field: string): number | undefined {
  const value = (error as Record<string, unknown>)[field];
  return typeof value === "number" ? value : undefined;
}

/** What the provider said. It may be searched, and must never be shown. */
function wordsOf(error: object): string {
  const { message, responseBody, data, code, type } = error as Record<string, unknown>;
  // An error within a stream has no body, and its chunk in its place.
  const body = typeof responseBody === "string" ? responseBody : (JSON.stringify(data) ?? "");
  return [message, code, type, body]
    .filter((word) => typeof word === "string")
    .join(" ")
    .slice(0, MAX_ERROR_BODY_BYTES);
}

const PARAMETER_NAME = /^[a-z_][\w.[\]]{0,63}$/i;

/** OpenAI names the field that it does not accept. */
function refusedParameterOf(error: object): string | undefined {
  const { data } = error as { data?: { error?: { param?: unknown } } };
  const parameter = data?.error?.param;
  return typeof parameter === "string" && PARAMETER_NAME.test(parameter) ? parameter : undefined;
}
