/**
 * Errors that a server writes into a stream that it began with 200, in a form that the provider's package passes over: beside
 * `choices`, within a choice, or as a bare text. It reads the chunks as they came.
 */

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

/** Undefined for a chunk without an error. `chunk` is what a server sent as one event, parsed. */
export function errorInChunk(chunk: unknown): StreamError | undefined {
  const { error, choices, type, response } = fieldsOf(chunk);
  if (isError(error)) return streamError(error);
  for (const choice of Array.isArray(choices) ? (choices as unknown[]) : []) {
    const inChoice = fieldsOf(choice).error;
    if (isError(inChoice)) return streamError(inChoice);
  }
  if (type === "response.incomplete" && !hasReason(response)) {
    return new StreamError(UNKNOWN_STATUS, "incomplete");
  }
  return undefined;
}

/** An incomplete response without a reason would count as a whole one. */
function hasReason(response: unknown): boolean {
  const { reason } = fieldsOf(fieldsOf(response).incomplete_details);
  return typeof reason === "string" && reason !== "";
}

function isError(value: unknown): boolean {
  if (typeof value === "object") return Object.keys(fieldsOf(value)).length > 0;
  return value !== undefined && value !== "" && value !== false && value !== 0;
}

function streamError(error: unknown): StreamError {
  return new StreamError(statusOf(error), JSON.stringify(error));
}

const UNKNOWN_STATUS = 500;

/** The HTTP status that the server would have answered with, had it known in time. */
function statusOf(error: unknown): number {
  const { code, status, type, message } = fieldsOf(error);
  for (const value of [code, status]) {
    const number = Number(value);
    if (Number.isInteger(number) && number >= 400 && number < 600) return number;
  }
  const words = [code, status, type, typeof error === "string" ? error : message]
    .filter((word) => typeof word === "string")
    .join(" ");
  return STATUS_BY_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? UNKNOWN_STATUS;
}

const STATUS_BY_WORDS: readonly (readonly [RegExp, number])[] = [
  [/insufficient_quota|rate.?limit|too many requests|resource_exhausted/i, 429],
  [/overloaded|unavailable/i, 503],
  [/authentication|unauthenticated|invalid.api.key/i, 401],
  [/permission|forbidden/i, 403],
  [/model_?not_?found|not_found_error/i, 404],
  [/context_length|invalid_request|invalid_argument|bad.?request/i, 400],
  [/timeout|timed out/i, 504],
];

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : NO_FIELDS;
}

const NO_FIELDS: Record<string, unknown> = {};
