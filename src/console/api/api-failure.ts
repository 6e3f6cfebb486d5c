import type { ApiErrorCode } from "../../http-api/api-error.ts";

/** The schema of the server knows them too, and would bring its library with it. */
const ERROR_CODES: Readonly<Record<ApiErrorCode, true>> = {
  InvalidRequest: true,
  Unauthorized: true,
  Forbidden: true,
  NotFound: true,
  Conflict: true,
  TooManyRequests: true,
  Unavailable: true,
  InternalError: true,
};

export function isErrorCode(code: unknown): code is ApiErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}

/** Why the API gave no answer. The words are those of the API, wherever it had some. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** `Unreachable`: nothing answered, or what answered is not the API. */
  readonly code: ApiErrorCode | "Unreachable";
  readonly status: number | undefined;
  readonly cure: string | undefined;

  constructor(
    code: ApiErrorCode | "Unreachable",
    message: string,
    options: {
      status?: number | undefined;
      cure?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.cure = options.cure;
  }

  /** Whether the same request may succeed a little later. */
  get mayPass(): boolean {
    return this.code === "Unreachable" || this.code === "Unavailable";
  }
}
