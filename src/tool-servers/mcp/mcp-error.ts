import { TransportError } from "../server/transport-error.ts";

export type McpFailure =
  | "broken_off"
  | "too_large"
  | "no_answer"
  | "not_started"
  | "not_usable"
  | "command_ended";

/** What went wrong with an MCP server, in words that name no address and hold nothing that the server said. */
export class McpError extends Error {
  override readonly name = "McpError";
  readonly failure: McpFailure;

  constructor(failure: McpFailure, message: string = WORDS[failure], options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** The server answered with a status that is none of success. */
export class McpStatusError extends Error {
  override readonly name = "McpStatusError";
  readonly status: number;

  constructor(status: number) {
    super(`the tool answered HTTP ${status}`);
    this.status = status;
  }
}

const WORDS: Readonly<Record<McpFailure, string>> = {
  broken_off: "the tool broke off in the middle of its answer",
  too_large: "the tool's answer is too large",
  no_answer: "the tool answered what is no answer of an MCP server",
  not_started: "the tool could not be reached: its command could not be started",
  not_usable: "the tool cannot be called",
  command_ended: "the tool could not be reached: its command has ended",
};

/** The error of ours that stands behind one of the client's, or the status that the server answered with. */
export function causeOf(
  error: unknown,
): McpError | TransportError | { status: number } | undefined {
  for (let each: unknown = error, depth = 0; each instanceof Error && depth < 8; depth += 1) {
    if (each instanceof McpError || each instanceof TransportError) return each;
    const { status, cause } = each as { status?: unknown; cause?: unknown };
    if (typeof status === "number") return { status };
    each = cause;
  }
  return undefined;
}
