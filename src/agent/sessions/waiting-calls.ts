/**
 * Calls of tools that wait for an answer of the user. A turn whose last frames have approval requests ends, and its session
 * waits: no replica holds it, and it waits as long as it lives. Its history says meanwhile what it would say if nobody ever
 * answered, so that it is well-formed at any time. A message ends the wait, and leaves the history so. When each request has
 * its answer, that part of the history is taken back, and a turn begins which goes on behind the journal of the one that waits.
 */
import type { ApprovalRequestFrame, TurnFrame } from "../../protocol/frames.ts";
import type { JournalEntry } from "./turn-journal.ts";

/** What a session waits for. */
export interface WaitingCalls {
  /** The requests without an answer, in order of `seq`. */
  readonly requests: readonly ApprovalRequestFrame[];
  /** The version of the prompt pack that the session has. */
  readonly promptVersion: string | undefined;
}

export interface CallAnswer {
  readonly entry: Extract<JournalEntry, { type: "call-answered" }>;
  /** The id of the turn that begins if this is the last answer. It also tells this attempt to answer from all others. */
  readonly turnId: string;
  /** When the answer came, in milliseconds since 1970, and to which replica: for the record of the turn that goes on. */
  readonly at?: number | undefined;
  readonly replica?: string | undefined;
}

/** The store writes this entry when each call has its answer. */
export function wentOn({ at, replica }: Pick<CallAnswer, "at" | "replica">): JournalEntry {
  return { type: "went-on", at, replica };
}

export function requestsIn(frames: readonly TurnFrame[]): ApprovalRequestFrame[] {
  return frames.filter((frame) => frame.type === "approval_request");
}
