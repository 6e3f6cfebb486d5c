/** What a request to the HTTP API is answered in place of what it asked for. */
import type { ApiErrorBody, ApiErrorCode } from "../../http-api/api-error.ts";

const STATUSES: Readonly<Record<ApiErrorCode, number>> = {
  InvalidRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  TooManyRequests: 429,
  Unavailable: 503,
  InternalError: 500,
};

/** The message is for people, and holds nothing that its caller may not know. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly code: ApiErrorCode;
  readonly status: number;
  readonly cure: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ApiErrorCode,
    message: string,
    options: {
      cure?: string | undefined;
      /** In place of the one that belongs to the code. */
      status?: number | undefined;
      /** Headers of the answer. */
      headers?: Readonly<Record<string, string>> | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? STATUSES[code];
    this.cure = options.cure;
    this.headers = options.headers ?? {};
  }

  get body(): ApiErrorBody {
    const { code, message, cure } = this;
    return { error: { code, message, ...(cure === undefined ? {} : { cure }) } };
  }
}
