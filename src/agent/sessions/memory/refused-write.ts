/** Why the store in memory does not do a write. */
import type { TurnFrame } from "../../../protocol/frames.ts";
import {
  FrameGapError,
  SessionGoneError,
  StoreFullError,
  TurnLostError,
} from "../session-store.ts";
import { firstSeqOf } from "../stored-values.ts";
import type { MemorySession } from "./memory-session.ts";

export function assertFollow(session: MemorySession, frames: readonly TurnFrame[]): void {
  const first = firstSeqOf(frames);
  if (first === undefined || first <= session.lastSeq + 1) return;
  throw new FrameGapError(session.lastSeq, session.unended?.journal.length ?? 0);
}

export function full(): StoreFullError {
  return new StoreFullError("the session store is full of sessions with a running turn");
}

export function lost(): TurnLostError {
  return new TurnLostError("the turn's lease has passed on");
}

export function gone(): SessionGoneError {
  return new SessionGoneError("the session is gone");
}
