/**
 * The frames of Omnia's WebSocket protocol, each of which is one message of JSON text. The agent, the clients and the checks of
 * conformance share them. docs/protocol.md describes them for users.
 */
/** The largest frame that a client may send; a larger one closes the connection with 1009. */
export const MAX_CLIENT_FRAME_BYTES = 512 * 1024;
/** The most characters of a session id, turn id or client message id. A longer one is refused. */
export const MAX_ID_LENGTH = 256;
/** The most characters of the reason of a denial. A longer one is refused. */
export const MAX_REASON_LENGTH = 4_096;

export const ERROR_CODES = [
  "INVALID_MESSAGE",
  "SESSION_NOT_FOUND",
  "PROVIDER_ERROR",
  "TOOL_ERROR",
  "INTERNAL_ERROR",
  "RATE_LIMITED",
  "TURN_IN_PROGRESS",
  "UNAVAILABLE",
  "VALIDATION_FAILED",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export const FINISH_REASONS = [
  "stop",
  "length",
  "tool_limit",
  "content_filter",
  "cancelled",
  "awaiting_approval",
] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export interface Cost {
  amount: number;
  /** A code of ISO 4217, like USD. */
  currency: string;
}

export interface Usage {
  input_tokens: number;
  output_tokens: number;
  /** Set where the agent knows the prices of its provider. */
  cost?: Cost | undefined;
}

export interface Warning {
  /** The type of the validator whose rule is broken. */
  validator: string;
  /** A text for people. */
  message: string;
}

export interface ErrorBody {
  code: ErrorCode;
  /** A text for people, without keys, stacks or internal addresses. */
  message: string;
  details?: Record<string, unknown>;
}

interface Stamped {
  session_id: string;
  /** The time in UTC, as RFC 3339 writes it. */
  timestamp: string;
}
/** `seq` begins at 1 and grows by one from frame to frame of a session. */
interface OfTurn extends Stamped {
  turn_id: string;
  seq: number;
  /** The client's own id of the message that began the turn, if it gave one. Only the first and the last frame have it. */
  message_id?: string;
}

export interface ConnectedFrame extends Stamped {
  type: "connected";
  resumed: boolean;
  /** The last `seq` of the session, or 0 in a new one. */
  seq: number;
}
export interface ChunkFrame extends OfTurn {
  type: "chunk";
  content: string;
}
export interface ToolCallFrame extends OfTurn {
  type: "tool_call";
  tool_call: {
    id: string;
    name: string;
    arguments: Record<string, unknown>;
    /** The id of the call that asked another agent of the pack, which makes this call. */
    parent?: string;
  };
}
export interface ToolResultFrame extends OfTurn {
  type: "tool_result";
  /** Has exactly one of `result` and `error`. */
  tool_result: { id: string; result?: unknown; error?: string };
  /** The state of the agent's workflow to which the call moved the session. */
  state?: string;
}
/** A call waits for an answer of the user. The `done` of its turn follows, and the answers begin the turn that goes on. */
export interface ApprovalRequestFrame extends OfTurn {
  type: "approval_request";
  approval: {
    id: string;
    name: string;
    arguments: Record<string, unknown>;
    /** When the session ends unless something happens in it before, as RFC 3339 writes it. */
    expires_at: string;
  };
}
export interface DoneFrame extends OfTurn {
  type: "done";
  /** The whole answer of the turn. */
  content: string;
  usage?: Usage;
  finish_reason: FinishReason;
  /** The state of the agent's workflow that the session is in. */
  state?: string;
  /** Rules of the agent that the message or the answer breaks, and that refuse neither. */
  warnings?: Warning[];
}
/** This error ends its turn. */
export interface TurnErrorFrame extends OfTurn {
  type: "error";
  error: ErrorBody;
}
/** An error outside a turn, which has no `seq`. */
export interface ConnectionErrorFrame extends Stamped {
  type: "error";
  error: ErrorBody;
}

export type TurnFrame =
  | ChunkFrame
  | ToolCallFrame
  | ToolResultFrame
  | ApprovalRequestFrame
  | DoneFrame
  | TurnErrorFrame;
export type ServerFrame = ConnectedFrame | TurnFrame | ConnectionErrorFrame;

export interface MessageFrame {
  type: "message";
  content: string;
  session_id?: string | undefined;
  metadata?: Record<string, unknown> | undefined;
  /** The client's own id of this message. A message that is sent again with the same id is not run again. */
  id?: string | undefined;
}
export interface CancelFrame {
  type: "cancel";
  session_id?: string | undefined;
}
export interface ResumeFrame {
  type: "resume";
  session_id: string;
  /** The last `seq` that the client has seen. */
  after: number;
}
export interface ApproveFrame {
  type: "approve";
  /** The id of the call. */
  id: string;
  session_id?: string | undefined;
  /** In place of those that the model wrote. */
  arguments?: Record<string, unknown> | undefined;
}
export interface DenyFrame {
  type: "deny";
  /** The id of the call. */
  id: string;
  session_id?: string | undefined;
  /** The model is told it. */
  reason?: string | undefined;
}
export type AnswerFrame = ApproveFrame | DenyFrame;
export type ClientFrame = MessageFrame | CancelFrame | ResumeFrame | AnswerFrame;

export type ParsedClientFrame =
  | { ok: true; frame: ClientFrame }
  /** Says what is wrong with the frame, in the message of INVALID_MESSAGE. */
  | { ok: false; problem: string };

type JSONObject = Record<string, unknown>;

/** Reads one text frame of a client. Fields that the protocol does not know are ignored. */
export function parseClientFrame(text: string): ParsedClientFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("the frame is not valid JSON");
  }
  if (!isObject(value)) return refuse("the frame must be a JSON object");
  switch (value["type"]) {
    case "message":
      return readMessage(value);
    case "cancel":
      return readCancel(value);
    case "resume":
      return readResume(value);
    case "approve":
      return readApprove(value);
    case "deny":
      return readDeny(value);
    case undefined:
      return refuse('the frame has no "type"');
    default:
      return refuse('"type" must be one of message, cancel, resume, approve, deny');
  }
}

// This is written by hand because it runs for each message, and a schema library takes three times as long.
function readMessage(value: JSONObject): ParsedClientFrame {
  const { content, session_id, metadata, id } = value;
  if (typeof content !== "string") return refuse('"content" must be a string');
  if (!isOptionalId(session_id)) return refuse(invalidId("session_id"));
  if (!isOptionalId(id)) return refuse(invalidId("id"));
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) {
    return refuse('"metadata" must be an object');
  }
  return {
    ok: true,
    frame: {
      type: "message",
      content,
      session_id: named(session_id),
      metadata: metadata ?? undefined,
      id: named(id),
    },
  };
}

function readCancel({ session_id }: JSONObject): ParsedClientFrame {
  if (!isOptionalId(session_id)) return refuse(invalidId("session_id"));
  return { ok: true, frame: { type: "cancel", session_id: named(session_id) } };
}

function readResume({ session_id, after }: JSONObject): ParsedClientFrame {
  if (!isOptionalId(session_id)) return refuse(invalidId("session_id"));
  const sessionId = named(session_id);
  if (sessionId === undefined) return refuse('"session_id" is required');
  if (!Number.isSafeInteger(after) || (after as number) < 0) {
    return refuse('"after" must be a whole number, 0 or more');
  }
  return { ok: true, frame: { type: "resume", session_id: sessionId, after: after as number } };
}

function readApprove(value: JSONObject): ParsedClientFrame {
  const call = readCall(value);
  if ("problem" in call) return refuse(call.problem);
  const toolArguments = value["arguments"];
  if (toolArguments !== undefined && toolArguments !== null && !isObject(toolArguments)) {
    return refuse('"arguments" must be an object');
  }
  return { ok: true, frame: { type: "approve", ...call, arguments: toolArguments ?? undefined } };
}

function readDeny(value: JSONObject): ParsedClientFrame {
  const call = readCall(value);
  if ("problem" in call) return refuse(call.problem);
  const { reason } = value;
  if (
    reason !== undefined &&
    reason !== null &&
    (typeof reason !== "string" || reason.length > MAX_REASON_LENGTH)
  ) {
    return refuse(`"reason" must be a string of at most ${MAX_REASON_LENGTH} characters`);
  }
  return { ok: true, frame: { type: "deny", ...call, reason: reason ?? undefined } };
}

/** Which call an answer is about. */
function readCall({
  id,
  session_id,
}: JSONObject): { id: string; session_id: string | undefined } | { problem: string } {
  if (!isOptionalId(session_id)) return { problem: invalidId("session_id") };
  if (!isOptionalId(id)) return { problem: invalidId("id") };
  const callId = named(id);
  if (callId === undefined) return { problem: '"id" is required' };
  return { id: callId, session_id: named(session_id) };
}

function refuse(problem: string): ParsedClientFrame {
  return { ok: false, problem };
}

function isObject(value: unknown): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOptionalId(value: unknown): value is string | null | undefined {
  return (
    value === undefined ||
    value === null ||
    (typeof value === "string" && value.length <= MAX_ID_LENGTH)
  );
}

function invalidId(field: string): string {
  return `"${field}" must be a string of at most ${MAX_ID_LENGTH} characters`;
}

/** Clients that cannot leave a field out send an empty id for none. */
function named(id: string | null | undefined): string | undefined {
  return id === null || id === "" ? undefined : id;
}
