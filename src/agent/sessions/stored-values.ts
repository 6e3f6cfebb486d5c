/** Frames and messages as the text that a store keeps, and back. What was kept is not trusted to be readable. */
import type { TurnFrame } from "../../protocol/frames.ts";
import type { HistoryMessage } from "./history-message.ts";
import { CorruptSessionError } from "./session-store.ts";

const MESSAGE_ROLES = new Set(["user", "assistant", "tool"]);
/** The field that each type of frame cannot be without. */
const FRAME_BODIES: Readonly<Record<string, { field: string; type: "string" | "object" }>> = {
  chunk: { field: "content", type: "string" },
  done: { field: "content", type: "string" },
  tool_call: { field: "tool_call", type: "object" },
  tool_result: { field: "tool_result", type: "object" },
  error: { field: "error", type: "object" },
};

/** The `seq` of the first frame; every other one's must be one more than that of the frame before it. */
export function firstSeqOf(frames: readonly TurnFrame[]): number | undefined {
  const first = frames[0]?.seq;
  if (first === undefined) return undefined;
  for (const [index, { seq }] of frames.entries()) {
    if (seq !== first + index) throw new RangeError(`frame ${seq} does not follow ${seq - 1}`);
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

export function parseStoredMessage(text: string): HistoryMessage {
  const message = parseObject(text, "a message");
  const isMessage =
    MESSAGE_ROLES.has(message["role"] as string) &&
    typeof message["turnId"] === "string" &&
    (message["role"] === "tool"
      ? typeof message["toolCallId"] === "string" && typeof message["toolName"] === "string"
      : typeof message["content"] === "string") &&
    (message["toolCalls"] === undefined || Array.isArray(message["toolCalls"]));
  if (!isMessage) throw new CorruptSessionError("a stored message is no message");
  return message as unknown as HistoryMessage;
}

function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is the user's.
    throw new CorruptSessionError(`${what} in the session store is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CorruptSessionError(`${what} in the session store is no object`);
  }
  return value as Record<string, unknown>;
}
