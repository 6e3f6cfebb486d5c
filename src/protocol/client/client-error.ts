export type ClientErrorCode =
  /** Nothing listens at the address, or the connection broke. */
  | "unreachable"
  /** The server answered, and did not let the client in. */
  | "refused"
  | "unauthorized"
  | "session-not-found"
  /** What answers is not an agent. */
  | "protocol"
  | "too-large"
  | "timeout"
  | "closed";

/** Why there is no conversation, or why it ended. `temporary` means that trying again may help. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  readonly temporary: boolean;
  /** The time that the server asks clients to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ClientErrorCode,
    message: string,
    options: { temporary?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.temporary = options.temporary ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
