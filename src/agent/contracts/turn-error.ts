import type { ErrorCode } from "../../protocol/frames.ts";

/**
 * Ends a turn, or refuses a frame, with an `error` frame of this code and message. The message is for people, and contains no
 * key, stack or internal address. The cause goes to the log.
 */
export class TurnError extends Error {
  override readonly name = "TurnError";
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown> | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}
