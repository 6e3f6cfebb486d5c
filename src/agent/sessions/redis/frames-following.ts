import type { TurnFrame } from "../../../protocol/frames.ts";
import { parseStoredFrame } from "../stored-values.ts";
import { ENTRY_KINDS, seqOfEntry, type StreamEntry } from "./script/stream-entry.ts";

/** The frames behind the one with the seq `after`, up to the first one that is missing. */
export function framesFollowing(after: number, entries: readonly StreamEntry[]): TurnFrame[] {
  const frames: TurnFrame[] = [];
  for (const { id, kind, value } of entries) {
    if (!isFrame(kind)) continue;
    const seq = seqOfEntry(id);
    if (seq !== after + frames.length + 1) break;
    frames.push(parseStoredFrame(value, seq));
  }
  return frames;
}

export function isFrame(kind: string): boolean {
  return kind === ENTRY_KINDS.frame;
}
