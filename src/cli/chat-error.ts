export type ChatErrorCode =
  /** Nothing listens there, or the connection broke. */
  | "unreachable"
  /** The server answered, and did not let the client in; the message is the server's. */
  | "refused"
  | "unauthorized"
  | "session-not-found"
  /** What answers is no agent. */
  | "protocol"
  | "too-large"
  | "timeout"
  | "closed";

/** Why there is no conversation, or why it ended. `temporary`: trying again may help. */
export class ChatError extends Error {
  override readonly name = "ChatError";
  readonly code: ChatErrorCode;
  readonly temporary: boolean;

  constructor(
    code: ChatErrorCode,
    message: string,
    options: { temporary?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.temporary = options.temporary ?? false;
  }
}
