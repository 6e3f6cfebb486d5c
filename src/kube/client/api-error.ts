/** The API server answered with an error. `reason` is the machine-readable reason of its Status object. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly reason: string;
  /** How long the server asks the client to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(response: {
    status: number;
    reason: string;
    message: string;
    retryAfterMs?: number | undefined;
  }) {
    super(response.message);
    this.status = response.status;
    this.reason = response.reason;
    this.retryAfterMs = response.retryAfterMs;
  }

  /** `body` is that of a response that is not 2xx. It is a Status object as a rule, and may be anything when a proxy answers. */
  static fromResponse(status: number, body: string, retryAfter: string | undefined): ApiError {
    let reason = "";
    let message = "";
    try {
      const parsed = JSON.parse(body) as { reason?: unknown; message?: unknown };
      if (typeof parsed.reason === "string") reason = parsed.reason;
      if (typeof parsed.message === "string") message = parsed.message;
    } catch {
      // Cut between two words: half of a word may be most of a credential that is no longer known as one.
      message = body.length > 200 ? body.slice(0, 200).replace(/\S*$/, "") : body;
    }
    const seconds = Number(retryAfter);
    return new ApiError({
      status,
      reason,
      message: message === "" ? `the API server answered ${status}` : message,
      retryAfterMs: retryAfter !== undefined && seconds >= 0 ? seconds * 1000 : undefined,
    });
  }
}

/** The request got no answer. If it was sent at all, nobody knows whether it was carried out. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** False when not one byte of the request left this process, so that it was certainly not carried out. */
  readonly wasSent: boolean;

  constructor(message: string, options: { cause?: unknown; wasSent?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.wasSent = options.wasSent ?? true;
  }
}

export function isNotFound(error: unknown): boolean {
  return hasStatus(error, 404);
}

/** The object changed meanwhile, exists already, or a field of it belongs to another field manager. */
export function isConflict(error: unknown): boolean {
  return hasStatus(error, 409);
}

/** A write for the object with one uid found it gone, or found that another has its name. */
export function isGoneOrReplaced(error: unknown): boolean {
  return isNotFound(error) || isConflict(error);
}

/** The conflict of a create: there is an object of this name already. */
export function isAlreadyExists(error: unknown): boolean {
  return hasStatus(error, 409) && error.reason === "AlreadyExists";
}

/** The resourceVersion is too old to watch or page from: list again. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === "Expired");
}

/** The object, as it would be then, breaks a rule. */
export function isInvalid(error: unknown): boolean {
  return hasStatus(error, 422);
}

export function isTooManyRequests(error: unknown): boolean {
  return hasStatus(error, 429);
}

/** The API server does not want the request as it is, so the same request gets the same answer, for now at least. */
export function isRefusal(error: unknown): error is ApiError {
  const isClientError = error instanceof ApiError && error.status >= 400 && error.status < 500;
  return isClientError && !isTooManyRequests(error);
}

/** The kind of the object is being removed from the API server. */
export function isKindTerminating(error: unknown): boolean {
  return (
    hasStatus(error, 403) && error.message.includes("custom resource definition is terminating")
  );
}

/** Nothing can be created in the namespace any more, because it is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  return hasStatus(error, 403) && error.message.includes("it is being terminated");
}

function hasStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}
