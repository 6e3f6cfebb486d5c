/** Frames and messages as the text that a store keeps, and back. What was kept is not trusted to be readable. */
import type { ApprovalRequestFrame, TurnFrame } from "../../protocol/frames.ts";
import type { HistoryMessage } from "./history-message.ts";
import { CorruptSessionError } from "./session-store.ts";
import type { JournalEntry, TurnOrigin } from "./turn-journal.ts";

const MESSAGE_ROLES = new Set(["user", "assistant", "tool"]);
/** The field that each type of frame cannot be without. */
const FRAME_BODIES: Readonly<Record<string, { field: string; type: "string" | "object" }>> = {
  chunk: { field: "content", type: "string" },
  done: { field: "content", type: "string" },
  tool_call: { field: "tool_call", type: "object" },
  tool_result: { field: "tool_result", type: "object" },
  approval_request: { field: "approval", type: "object" },
  error: { field: "error", type: "object" },
};

/** The `seq` of the first frame. The `seq` of every other frame must be one more than that of the frame before it. */
export function firstSeqOf(frames: readonly TurnFrame[]): number | undefined {
  const first = frames[0]?.seq;
  if (first === undefined) return undefined;
  let next = first;
  for (const { seq } of frames) {
    if (seq !== next) throw new RangeError(`frame ${seq} does not follow ${seq - 1}`);
    next += 1;
  }
  return first;
}

export function parseStoredFrame(text: string, seq: number): TurnFrame {
  const frame = parseObject(text, "a frame");
  const body = FRAME_BODIES[String(frame["type"])];
  const isFrame =
    body !== undefined &&
    frame["seq"] === seq &&
    typeof frame["turn_id"] === "string" &&
    typeof frame["session_id"] === "string" &&
    // oxlint-disable-next-line valid-typeof -- `type` is one of two names.
    typeof frame[body.field] === body.type &&
    frame[body.field] !== null;
  if (!isFrame) throw new CorruptSessionError(`the stored frame ${seq} is no frame`);
  return frame as unknown as TurnFrame;
}

/** Reads the frame of a request, which is kept apart from the other frames too. */
export function parseStoredRequest(text: string): ApprovalRequestFrame {
  const { seq } = parseObject(text, "an approval request");
  const frame = parseStoredFrame(text, Number(seq));
  if (frame.type === "approval_request") return frame;
  throw new CorruptSessionError("a stored approval request is none");
}

export function parseStoredMessage(text: string): HistoryMessage {
  const message = parseObject(text, "a message");
  if (!isMessage(message)) throw new CorruptSessionError("a stored message is no message");
  return message as unknown as HistoryMessage;
}

/** How the text of a user's message begins, and no other message's: it is the first one of its turn. */
export const USER_MESSAGE_START = '{"role":"user"';

export function userMessageText(turnId: string, content: string): string {
  return JSON.stringify({ role: "user", turnId, content });
}

/** Reads what stands at the beginning of a turn's journal. */
export function parseStoredOrigin(text: string): {
  origin: TurnOrigin;
  messageId: string | undefined;
} {
  const { messageId, handler, promptVersion, metadata, startedAt, replica, model } = parseObject(
    text,
    "a turn's origin",
  );
  return {
    messageId: typeof messageId === "string" ? messageId : undefined,
    origin: {
      ...(typeof handler === "string" ? { handler } : {}),
      ...(typeof promptVersion === "string" ? { promptVersion } : {}),
      ...(isObject(metadata) ? { metadata } : {}),
      ...(typeof startedAt === "number" ? { startedAt } : {}),
      ...(typeof replica === "string" ? { replica } : {}),
      ...(typeof model === "string" ? { model } : {}),
    },
  };
}

export function parseStoredEntry(text: string): JournalEntry {
  const entry = parseObject(text, "a journal entry");
  if (!isEntry(entry)) throw new CorruptSessionError("a stored journal entry is none");
  return entry as unknown as JournalEntry;
}

function isEntry(entry: Record<string, unknown>): boolean {
  switch (entry["type"]) {
    case "said":
      return typeof entry["text"] === "string";
    case "step":
      return isMessageOf(entry["message"], "assistant");
    case "call-started":
      return typeof entry["id"] === "string" && typeof entry["name"] === "string";
    case "call-done":
      return isMessageOf(entry["message"], "tool");
    case "call-answered":
      return typeof entry["id"] === "string" && typeof entry["isApproved"] === "boolean";
    default:
      return entry["type"] === "taken-over" || entry["type"] === "went-on";
  }
}

function isMessageOf(value: unknown, role: HistoryMessage["role"]): boolean {
  return isObject(value) && value["role"] === role && isMessage(value);
}

function isMessage(message: Record<string, unknown>): boolean {
  return (
    MESSAGE_ROLES.has(message["role"] as string) &&
    typeof message["turnId"] === "string" &&
    (message["role"] === "tool"
      ? typeof message["toolCallId"] === "string" && typeof message["toolName"] === "string"
      : typeof message["content"] === "string") &&
    (message["toolCalls"] === undefined || Array.isArray(message["toolCalls"]))
  );
}

function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is the user's.
    throw new CorruptSessionError(`${what} in the session store is not JSON`);
  }
  if (!isObject(value)) {
    throw new CorruptSessionError(`${what} in the session store is no object`);
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
