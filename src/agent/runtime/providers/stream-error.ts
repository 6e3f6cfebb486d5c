/**
 * Errors that a server writes into an answer that it began with HTTP 200, in words of its own. They get the status that the
 * server would have answered with, had it known in time, so that they are treated and told like a refusal.
 */
import { fieldsOf } from "./stream/json-fields.ts";
import { saysModelNotFound } from "./model-not-found.ts";

/** It has the fields of the errors that the provider packages throw. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly statusCode: number;
  /** What the server said. It may be searched, and must never be shown. */
  readonly responseBody: string;

  constructor(statusCode: number, responseBody: string) {
    super("the server wrote an error into its answer");
    this.statusCode = statusCode;
    this.responseBody = responseBody;
  }
}

/** `error` is what stands as the error in the answer. Undefined when it says nothing. */
export function streamErrorOf(error: unknown): StreamError | undefined {
  const isError =
    typeof error === "object"
      ? Object.keys(fieldsOf(error)).length > 0
      : error !== undefined && error !== "" && error !== false && error !== 0;
  return isError ? new StreamError(statusOf(error), JSON.stringify(error)) : undefined;
}

function statusOf(error: unknown): number {
  const { code, status, type, message } = fieldsOf(error);
  for (const value of [code, status]) {
    const number = Number(value);
    if (Number.isInteger(number) && number >= 400 && number < 600) return number;
  }
  const words = [code, status, type, typeof error === "string" ? error : message]
    .filter((word) => typeof word === "string")
    .join(" ");
  if (saysModelNotFound(words)) return 404;
  return STATUS_BY_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? 500;
}

const STATUS_BY_WORDS: readonly (readonly [RegExp, number])[] = [
  [/quota|rate.?limit|too many requests|resource_exhausted/i, 429],
  [/overloaded|unavailable/i, 503],
  [/authentication|unauthenticated|invalid.api.key/i, 401],
  [/permission|forbidden/i, 403],
  [/not_found_error/i, 404],
  [/context_length|invalid_request|invalid_argument|bad.?request/i, 400],
  [/timeout|timed out/i, 504],
];
