/**
 * The frames of Omnia's WebSocket protocol: JSON text, one frame a message.
 * Shared by agent, gateway, command line and console; docs/protocol.md is the page for users.
 */
import { z } from "zod";

/** The largest frame that a client may send; a larger one closes the connection with 1009. */
export const MAX_CLIENT_FRAME_BYTES = 512 * 1024;
/** The longest session id, turn id or client message id that is looked at. */
export const MAX_ID_LENGTH = 256;

export const ERROR_CODES = [
  "INVALID_MESSAGE",
  "SESSION_NOT_FOUND",
  "PROVIDER_ERROR",
  "TOOL_ERROR",
  "INTERNAL_ERROR",
  "RATE_LIMITED",
  "TURN_IN_PROGRESS",
  "UNAVAILABLE",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export const FINISH_REASONS = ["stop", "length", "tool_limit", "cancelled"] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export interface Usage {
  input_tokens: number;
  output_tokens: number;
}

export interface ErrorBody {
  code: ErrorCode;
  /** For people; holds no key, stack or internal address. */
  message: string;
  details?: Record<string, unknown>;
}

interface Stamped {
  session_id: string;
  /** RFC 3339, UTC. */
  timestamp: string;
}
/** `seq` grows by one from frame to frame of a session, from 1. */
interface OfTurn extends Stamped {
  turn_id: string;
  seq: number;
}

export interface ConnectedFrame extends Stamped {
  type: "connected";
  resumed: boolean;
  /** The last `seq` of the session, 0 in a new one. */
  seq: number;
}
export interface ChunkFrame extends OfTurn {
  type: "chunk";
  content: string;
}
export interface ToolCallFrame extends OfTurn {
  type: "tool_call";
  tool_call: { id: string; name: string; arguments: Record<string, unknown> };
}
export interface ToolResultFrame extends OfTurn {
  type: "tool_result";
  /** Exactly one of `result` and `error`. */
  tool_result: { id: string; result?: unknown; error?: string };
}
export interface DoneFrame extends OfTurn {
  type: "done";
  /** The whole answer of the turn. */
  content: string;
  usage?: Usage;
  finish_reason: FinishReason;
}
/** Ends its turn. */
export interface TurnErrorFrame extends OfTurn {
  type: "error";
  error: ErrorBody;
}
/** An error outside a turn: it uses no `seq`. */
export interface ConnectionErrorFrame extends Stamped {
  type: "error";
  error: ErrorBody;
}

export type TurnFrame = ChunkFrame | ToolCallFrame | ToolResultFrame | DoneFrame | TurnErrorFrame;
export type ServerFrame = ConnectedFrame | TurnFrame | ConnectionErrorFrame;

// An empty id is what a client with a plain struct sends for "none".
const id = z
  .string()
  .max(MAX_ID_LENGTH)
  .transform((value) => (value === "" ? undefined : value));

const messageFrame = z.object({
  type: z.literal("message"),
  content: z.string(),
  session_id: id.nullish().transform((value) => value ?? undefined),
  metadata: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? undefined),
  id: id.nullish().transform((value) => value ?? undefined),
});
const cancelFrame = z.object({
  type: z.literal("cancel"),
  session_id: id.nullish().transform((value) => value ?? undefined),
});
const resumeFrame = z.object({
  type: z.literal("resume"),
  session_id: z.string().min(1).max(MAX_ID_LENGTH),
  after: z.int().min(0),
});

export type MessageFrame = z.output<typeof messageFrame>;
export type CancelFrame = z.output<typeof cancelFrame>;
export type ResumeFrame = z.output<typeof resumeFrame>;
export type ClientFrame = MessageFrame | CancelFrame | ResumeFrame;

const clientFrames = { message: messageFrame, cancel: cancelFrame, resume: resumeFrame };

export type ParsedClientFrame =
  | { ok: true; frame: ClientFrame }
  /** What is wrong with the frame, for the message of INVALID_MESSAGE. */
  | { ok: false; problem: string };

/** Reads one text frame of a client. Fields that the protocol does not know are passed over. */
export function parseClientFrame(text: string): ParsedClientFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: "the frame is not valid JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, problem: "the frame must be a JSON object" };
  }
  const type: unknown = (value as { type?: unknown }).type;
  if (type === undefined) return { ok: false, problem: 'the frame has no "type"' };
  if (typeof type !== "string" || !Object.hasOwn(clientFrames, type)) {
    return { ok: false, problem: `"type" must be one of ${Object.keys(clientFrames).join(", ")}` };
  }
  const parsed = clientFrames[type as keyof typeof clientFrames].safeParse(value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, problem: `"${issue?.path.join(".") ?? ""}": ${issue?.message ?? "invalid"}` };
}
