import type { ApiErrorBody, ApiErrorCode } from "../../../http-api/api-error.ts";

const STATUS = {
  InvalidRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  TooManyRequests: 429,
  InternalError: 500,
  Unavailable: 503,
} as const satisfies Record<ApiErrorCode, number>;

/** The seconds after which a caller may ask again, where waiting helps. */
const RETRY_AFTER_SECONDS = 5;

/** Thrown by what cannot answer. The message is for people, and holds nothing secret. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly code: ApiErrorCode;
  readonly cure: string | undefined;
  /** Where another status than that of the code says more. */
  readonly status: number;

  constructor(
    code: ApiErrorCode,
    message: string,
    {
      cure,
      status = STATUS[code],
      cause,
    }: { cure?: string | undefined; status?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.cure = cure;
    this.status = status;
  }
}

export function problemResponse({ code, message, cure, status }: ApiProblem): Response {
  const body: ApiErrorBody = { error: { code, message, cure } };
  const headers: Record<string, string> = {};
  if (code === "Unauthorized") headers["www-authenticate"] = "Bearer";
  if (code === "Unavailable" || code === "TooManyRequests") {
    headers["retry-after"] = String(RETRY_AFTER_SECONDS);
  }
  return Response.json(body, { status, headers });
}
