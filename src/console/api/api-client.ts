/** Asks the HTTP API. The types are those of the server, which is of the same version as the page that it serves. */
import { API_PREFIX, WRITE_HEADER } from "../../http-api/paths.ts";
import type { ApiErrorCode } from "../../http-api/api-error.ts";
import { ApiFailure, isErrorCode } from "./api-failure.ts";
import { currentToken } from "./token.ts";

export interface WriteOptions {
  readonly method: "POST" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** The path of a resource of the API, from parts that may hold anything. */
export function apiPath(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join("");
}

export async function readApi<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const response = await ask(path, { headers: authorization(), signal: signal ?? null });
  return (await response.json()) as Answer;
}

/** Sends one of the writes. `undefined` is the answer to one that leaves nothing to tell. */
export async function writeApi<Answer>(
  path: string,
  { method, body, signal }: WriteOptions,
): Promise<Answer> {
  const response = await ask(path, {
    method,
    headers: {
      ...authorization(),
      [WRITE_HEADER]: "console",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  });
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** Asks for the stream of changes. The body of the answer goes on as long as the caller reads it. */
export async function openStream(
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const response = await ask(path, {
    headers: {
      ...authorization(),
      accept: "text/event-stream",
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
    signal,
  });
  if (response.body === null) throw new ApiFailure("Unreachable", "The answer has no body.");
  return response.body;
}

async function ask(path: string, request: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${API_PREFIX}${path}`, { ...request, credentials: "omit" });
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    throw new ApiFailure("Unreachable", "Omnia does not answer.", { cause: error });
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const error = (
    body as { error?: { code?: unknown; message?: unknown; cure?: unknown } } | undefined
  )?.error;
  const code = isErrorCode(error?.code) ? error.code : codeOfStatus(status);
  const message = typeof error?.message === "string" ? error.message : `The answer was ${status}.`;
  const cure = typeof error?.cure === "string" ? error.cure : undefined;
  return new ApiFailure(code, message, { status, cure });
}

function codeOfStatus(status: number): ApiErrorCode {
  switch (status) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 429:
      return "TooManyRequests";
    case 502:
    case 503:
    case 504:
      return "Unavailable";
    default:
      return status < 500 ? "InvalidRequest" : "InternalError";
  }
}

function authorization(): Record<string, string> {
  const token = currentToken();
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
