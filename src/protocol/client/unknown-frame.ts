import { SERVER_FRAME_TYPES } from "../server-frame.ts";

export interface UnknownFrame {
  readonly type?: unknown;
  readonly session_id?: unknown;
  readonly seq?: unknown;
}

/** Reads a frame of a later version of the protocol. */
export function readUnknownFrame(text: string): UnknownFrame | undefined {
  try {
    const frame = JSON.parse(text) as UnknownFrame;
    const isUnknown = typeof frame.type === "string" && !SERVER_FRAME_TYPES.includes(frame.type);
    return isUnknown ? frame : undefined;
  } catch {
    return undefined;
  }
}
