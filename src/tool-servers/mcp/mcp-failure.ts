/** What went wrong with a call or a list, in words for the model and for people. The words of the client hold bodies and addresses. */
import type { CallResult } from "../server/circuit-breaker.ts";
import { MAX_TOOL_ERROR_BYTES } from "../server/limits.ts";
import { TransportError } from "../server/transport-error.ts";
import { withoutAddresses } from "../server/without-addresses.ts";
import { mayTryAfterFailure } from "../http/retry-rule.ts";
import { McpConnectError } from "./mcp-connection.ts";
import { causeOf, McpError } from "./mcp-error.ts";

export interface McpFailureReport {
  readonly message: string;
  readonly result: CallResult;
  /** The server surely did not carry the call out. */
  readonly mayTryAgain: boolean;
}

/** `secrets` must not come back in what the server says. */
export function reportFailure(
  error: unknown,
  { isCommand, clean }: { isCommand: boolean; clean: (text: string) => string },
): McpFailureReport {
  const isConnecting = error instanceof McpConnectError;
  const failed = (message: string, mayTryAgain = false): McpFailureReport => ({
    message,
    result: "failed",
    mayTryAgain,
  });
  const cause = causeOf(error);
  if (cause instanceof McpError) return failed(cause.message);
  if (cause instanceof TransportError) {
    // Connecting has no effect, however often it is done.
    return failed(cause.message, mayTryAfterFailure(isConnecting ? "GET" : "POST", cause));
  }
  if (cause !== undefined) {
    const message = `the tool answered HTTP ${cause.status}`;
    return cause.status >= 500 ? failed(message) : { ...failed(message), result: "answered" };
  }
  const own = saidByServer(error);
  if (own !== undefined && !isConnecting) {
    const said = clean(withoutAddresses(own)).slice(0, MAX_TOOL_ERROR_BYTES).toWellFormed();
    return { message: said, result: "answered", mayTryAgain: false };
  }
  if (isCommand && isConnecting) {
    const { code } = (error.cause ?? {}) as { code?: unknown };
    const isStarted = code !== "ENOENT" && code !== "EACCES";
    return failed(new McpError(isStarted ? "command_ended" : "not_started").message);
  }
  if (isClosed(error)) return failed(new McpError("broken_off").message);
  return failed(new McpError("no_answer").message);
}

/** The message of an error that the server answered with, by the protocol. */
function saidByServer(error: unknown): string | undefined {
  const { name, message } = error as Error;
  return error instanceof Error && name === "ProtocolError" ? message : undefined;
}

function isClosed(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === "CONNECTION_CLOSED" || code === "NOT_CONNECTED" || code === "SEND_FAILED";
}
