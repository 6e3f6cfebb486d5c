/** Who a call is made for, and how a tool is told so: in headers that are signed with the tool's own credential. */
import { createHash, createHmac } from "node:crypto";
import type { ToolConfig } from "../../agent-config/agent-config.ts";

export interface ToolCaller {
  /** Undefined when the agent authenticates nobody. */
  readonly subject: string | undefined;
  readonly sessionId: string;
}

const SUBJECT_HEADER = "x-omnia-subject";
const SESSION_HEADER = "x-omnia-session";
const TIMESTAMP_HEADER = "x-omnia-timestamp";
const SIGNATURE_HEADER = "x-omnia-signature";

/** Nobody but the agent sets these headers of a call. */
export const CALLER_HEADERS: readonly string[] = [
  SUBJECT_HEADER,
  SESSION_HEADER,
  TIMESTAMP_HEADER,
  SIGNATURE_HEADER,
];

/** Many servers refuse longer headers. */
export const MAX_SUBJECT_CHARACTERS = 2_048;

export interface CallerSignature {
  /** The tool's own credential, which is the key of the signature. */
  readonly credential: string;
  /** The body as it is sent. Undefined: there is none. */
  readonly body: string | Uint8Array | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Adds what the tool asked to be told of the caller. Answers what must not come back in an answer, or why the tool cannot be
 * called. It comes after all other headers, none of which may stand in for these.
 */
export function addCallerHeaders(
  headers: Headers,
  { forward = [] }: Pick<ToolConfig, "forward">,
  { caller, ...signature }: CallerSignature & { readonly caller: ToolCaller | undefined },
): { readonly secrets: readonly string[] } | { readonly error: string } {
  if (!forward.includes("subject")) return { secrets: [] };
  if (caller === undefined)
    return { error: "the tool is to be told of a caller, and there is none" };
  const told = callerHeaders(caller, signature);
  if ("error" in told) return told;
  for (const [name, value] of Object.entries(told.headers)) headers.set(name, value);
  return { secrets: told.secrets };
}

export interface CallerHeaders {
  /** The names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What must not come back in an answer: it would pass for the agent for a while. */
  readonly secrets: readonly string[];
}

export function callerHeaders(
  { subject, sessionId }: ToolCaller,
  { credential, body, now }: CallerSignature,
): CallerHeaders | { readonly error: string } {
  if (credential === "") return { error: "the tool has no credential to sign the caller with" };
  const written = subject === undefined ? undefined : headerText(subject);
  if (written !== undefined && written.length > MAX_SUBJECT_CHARACTERS) {
    return { error: "the name of the caller is too long to be forwarded to the tool" };
  }
  const timestamp = String(Math.floor(now / 1000));
  const digest = createHash("sha256")
    .update(body ?? "")
    .digest("hex");
  const signature = createHmac("sha256", credential)
    .update(`${timestamp}\n${written ?? ""}\n${sessionId}\n${digest}`)
    .digest("hex");
  return {
    headers: {
      ...(written !== undefined && { [SUBJECT_HEADER]: written }),
      [SESSION_HEADER]: sessionId,
      [TIMESTAMP_HEADER]: timestamp,
      [SIGNATURE_HEADER]: `v1=${signature}`,
    },
    secrets: [signature],
  };
}

/**
 * A header has no line breaks and loses blanks at its ends, and servers read other bytes as they like. So all but the visible
 * characters of ASCII are percent-encoded, as is the percent sign.
 */
function headerText(subject: string): string {
  return subject
    .toWellFormed()
    .replaceAll(/[^!-$&-~]/gu, (character) =>
      [...Buffer.from(character)]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
        .join(""),
    );
}
