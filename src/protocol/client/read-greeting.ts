/** What a server says first over a connection, and why it cannot be talked to. */
import type { ConnectedFrame, ErrorBody } from "../frames.ts";
import { parseServerFrame } from "../server-frame.ts";
import { ClientError } from "./client-error.ts";

/** Returns the greeting, or the reason why the server cannot be talked to. */
export function readGreeting(
  text: string,
  wanted: string | undefined,
): ConnectedFrame | ClientError {
  const parsed = parseServerFrame(text);
  if (!parsed.ok) return noFrame(parsed.problem);
  const { frame } = parsed;
  if (frame.type === "error") {
    const { code, message } = frame.error;
    if (code === "SESSION_NOT_FOUND" && wanted !== undefined) return noSession(wanted);
    const temporary = code === "UNAVAILABLE" || code === "RATE_LIMITED";
    const retryAfterMs = readRetryAfter(frame.error);
    return new ClientError("refused", message, { temporary, retryAfterMs });
  }
  if (frame.type !== "connected") return noFrame(`its first frame is ${frame.type}`);
  return wanted === undefined || frame.session_id === wanted ? frame : noSession(wanted);
}

/** In milliseconds. */
export function readRetryAfter({ details }: ErrorBody): number | undefined {
  const seconds = details?.["retry_after"];
  return typeof seconds === "number" && seconds >= 0 ? seconds * 1_000 : undefined;
}

export function noFrame(problem: string): ClientError {
  return new ClientError("protocol", `The server sent what is no frame of Omnia: ${problem}.`);
}

function noSession(sessionId: string): ClientError {
  const message = `There is no session ${sessionId}: it has expired, or it is another agent's.`;
  return new ClientError("session-not-found", message);
}
