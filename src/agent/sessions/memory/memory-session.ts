/** One session in the memory of this process, and what its parts take. */
import type { ApprovalRequestFrame, TurnFrame } from "../../../protocol/frames.ts";
import type { SessionClient } from "../session-client.ts";
import { NO_COUNTS, type SessionCounts } from "../session-counts.ts";
import { SESSION_OVERHEAD_BYTES, type NewTurn, type TurnLease } from "../session-store.ts";
import type { JournalEntry } from "../turn-journal.ts";
import { KeptFrames } from "./kept-frames.ts";
import { bytesOfText, KeptMessages } from "./kept-messages.ts";
import { KeptRecords } from "./kept-records.ts";
import { MessageIds } from "./message-ids.ts";

/** An entry of a journal as it is kept: of a text that was said, which most entries are, the text alone. */
export type KeptEntry = JournalEntry | string;

/** A turn that has not ended: it runs until its lease is over, and then waits to be taken over. */
export interface UnendedTurn {
  lease: TurnLease;
  leaseUntil: number;
  /** The attempt to begin it or to take it over that succeeded. */
  claim: string;
  readonly begun: NewTurn;
  /** The turn that the user's message began: this one, or one that waited for an approval. */
  readonly firstTurnId: string;
  readonly journal: KeptEntry[];
  journalBytes: number;
  isCancelled: boolean;
  /** Called when somebody asks for the end of the turn. */
  onCancel: (() => void) | undefined;
}

/** A turn of a session that has ended because calls of it wait for an approval. */
export interface WaitingTurn {
  readonly begun: UnendedTurn["begun"];
  readonly firstTurnId: string;
  readonly journal: UnendedTurn["journal"];
  /** What the journal and the requests take. */
  bytes: number;
  /** The messages at the end of the history that are taken back when all calls have their answers. */
  readonly messages: number;
  /** By call id: its request, or the attempt that has answered it. */
  readonly calls: Map<string, ApprovalRequestFrame | string>;
}

export interface MemorySession {
  readonly id: string;
  readonly owner: string;
  readonly holder: string;
  lastSeq: number;
  fence: number;
  promptVersion: string | undefined;
  readonly messages: KeptMessages;
  readonly frames: KeptFrames;
  unended: UnendedTurn | undefined;
  /** Set while calls of the last turn wait for an approval. */
  waiting: WaitingTurn | undefined;
  readonly messageIds: MessageIds;
  title: string;
  /** The session that this one was made out of. */
  readonly forkOf: string | undefined;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  counts: SessionCounts;
  /** Those of the turns that have ended. */
  readonly records: KeptRecords;
  /** What it takes beside its messages, frames and message ids. */
  bytes: number;
  countedBytes: number;
  /** When its activity was noted last, on the monotonic clock. */
  touchedAt: number;
  /** Called once, when frames came, a turn ended, or the session is gone. */
  followers: Set<() => void> | undefined;
}

export function newMemorySession(
  id: string,
  { owner, holder }: SessionClient,
  createdAt: number,
  forkOf?: string,
): MemorySession {
  return {
    id,
    owner,
    holder,
    lastSeq: 0,
    fence: 0,
    promptVersion: undefined,
    messages: new KeptMessages(),
    frames: new KeptFrames(),
    unended: undefined,
    waiting: undefined,
    messageIds: new MessageIds(),
    title: "",
    forkOf,
    createdAt,
    counts: NO_COUNTS,
    records: new KeptRecords(),
    bytes: SESSION_OVERHEAD_BYTES + 2 * (id.length + owner.length + holder.length),
    countedBytes: 0,
    touchedAt: 0,
    followers: undefined,
  };
}

export function bytesOfSession(session: MemorySession): number {
  const { bytes, messages, records, frames, messageIds, title } = session;
  return (
    bytes + messages.bytes + records.bytes + frames.bytes + messageIds.bytes + 2 * title.length
  );
}

export function keptEntry(entry: JournalEntry): KeptEntry {
  return entry.type === "said" && entry.at === undefined ? entry.text : entry;
}

export function entryOf(kept: KeptEntry): JournalEntry {
  return typeof kept === "string" ? { type: "said", text: kept } : kept;
}

export function bytesOfEntries(entries: readonly KeptEntry[]): number {
  let bytes = 0;
  for (const entry of entries) {
    const kept = typeof entry === "string" ? entry : keptEntry(entry);
    bytes += bytesOfText(typeof kept === "string" ? kept : JSON.stringify(kept));
  }
  return bytes;
}

/** Frames that it has already are passed over. */
export function appendFrames(session: MemorySession, frames: readonly TurnFrame[]): void {
  const isFresh = (frames[0]?.seq ?? 0) > session.lastSeq;
  const fresh = isFresh ? frames : frames.filter((frame) => frame.seq > session.lastSeq);
  session.frames.append(fresh);
  session.lastSeq += fresh.length;
}
