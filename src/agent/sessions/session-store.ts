/**
 * Where sessions live. A session is append-only: messages (what the model is to see) and frames (what clients saw, by
 * `seq`). Every write is one atomic step and renews the session's ttl on everything that belongs to it.
 *
 * Absent and unavailable are two results: a lookup answers `undefined` for a session that is not there, and rejects
 * with StoreUnavailableError when the store could not say. What is there but cannot be read is a third:
 * CorruptSessionError.
 *
 * A session has an owner, and whoever names it by an id that came from a client names the owner too: for all others it is
 * not there, and what they ask for changes nothing about it, its ttl included. What has a lease is asked for no owner.
 *
 * A write that was rejected with StoreUnavailableError may have been done. It may be repeated with the same arguments:
 * done twice, it has the effect of once. A message with an id may be sent again too: each store remembers which message ids a
 * session has seen, the one in memory in `memory/message-ids.ts`, the one on Redis in the key `message-ids`, which
 * `redis/operations/begin-turn.ts` reads and writes.
 */
import type { TurnFrame } from "../../protocol/frames.ts";
import type { HistoryMessage } from "./history-message.ts";
import type { SessionClient } from "./session-client.ts";
import type {
  ForkOutcome,
  NewFork,
  SessionPage,
  SessionQuery,
  SessionTimeline,
} from "./session-listing.ts";
import type { JournalEntry, JournalPart, TurnOrigin } from "./turn-journal.ts";
import type { TurnRecord } from "./turn-record.ts";
import type { CallAnswer, WaitingCalls } from "./waiting-calls.ts";

/** Frames of a turn are kept for this long after the turn ended, for clients that resume. */
export const FRAME_RETENTION_MS = 10 * 60_000;
/** Bytes of frames that are kept of one turn. When there are more, the oldest go; the newest is kept, whatever its size. */
export const MAX_FRAME_BYTES_PER_TURN = 2 * 1024 * 1024;
/** Bytes of frames that are kept of the ended turns of one session. When there are more, those of the oldest turns go. */
export const MAX_FRAME_BYTES_PER_SESSION = 8 * 1024 * 1024;
/**
 * Bytes of the messages of one session. When there are more at the end of a turn, the oldest turns go, each as a whole; the
 * newest is kept, whatever its size. Far more than a model is told.
 */
export const MAX_HISTORY_BYTES_PER_SESSION = 8 * 1024 * 1024;
/** Bytes that the sessions of one holder may take, about, unless the agent config says otherwise. */
export const MAX_BYTES_PER_HOLDER = 256 * 1024 * 1024;
/** A session of more than this makes way before the holder's smaller ones: it has said more than a model is told of. */
export const BIG_SESSION_BYTES = 256 * 1024;
/** What a session takes before anything was said in it, and what a message takes beside its text. */
export const SESSION_OVERHEAD_BYTES = 1024;
export const MESSAGE_OVERHEAD_BYTES = 32;
/**
 * A turn's lease ends this long after its last renewal, so that another replica may close the turn of one that died.
 * Every write of the turn renews it. A turn whose lease has ended does not count as running.
 */
export const TURN_LEASE_MS = 15_000;
/** Message ids are remembered for this many turns of a session. */
export const MAX_REMEMBERED_TURNS = 256;

export interface SessionSummary {
  /** The last `seq` given out, 0 when no turn has begun. */
  lastSeq: number;
  /** The turn that is running now, on this replica or another one. */
  runningTurnId?: string | undefined;
  /** The turn that has not ended and that no replica runs: it waits to be taken over. */
  abandonedTurnId?: string | undefined;
  /** Set while calls of the session's last turn wait for an approval. */
  waiting?: WaitingCalls | undefined;
}

export interface NewTurn {
  turnId: string;
  /** The client's own id of the message. */
  messageId?: string | undefined;
  userMessage: string;
  origin?: Omit<TurnOrigin, "promptVersion"> | undefined;
  promptVersions?: PromptVersions | undefined;
  /** The turn is not begun when the turns of its session have used as many tokens. 0: it is not begun in any case. */
  maxSessionTokens?: number | undefined;
}

/**
 * The versions of the prompt pack that a session may have. It keeps its own if that is among `kept`, and gets `fresh` otherwise: so
 * it has one version from its first turn to its end, though another one would be chosen for it by now.
 */
export interface PromptVersions {
  readonly fresh: string;
  readonly kept: readonly string[];
}

/** A turn that this process runs. `fence` grows with every turn of a session: writes under an older one are refused. */
export interface TurnLease {
  readonly sessionId: string;
  readonly turnId: string;
  readonly fence: number;
  /** The `seq` before the turn's first frame. */
  readonly seqBefore: number;
}

/** What is known of a turn that was taken over. */
export interface AbandonedTurn {
  readonly lease: TurnLease;
  /** The `seq` of the turn's last frame, or `seqBefore` when it has none. */
  readonly lastSeq: number;
  readonly userMessage: string;
  readonly messageId: string | undefined;
  /** The turn that the user's message began, where this one goes on for it. */
  readonly firstTurnId?: string | undefined;
  readonly origin: TurnOrigin;
  readonly journal: readonly JournalEntry[];
  /** What the session's turns before have used; undefined: nothing. */
  readonly sessionTokens?: number | undefined;
  /** A cancel was asked for while no replica ran the turn. */
  readonly isCancelled: boolean;
}

/** What the store is told of the end of a turn. */
export interface TurnEnd {
  readonly frames: readonly TurnFrame[];
  readonly messages: readonly HistoryMessage[];
  /** What is remembered of the turn, and counted to its session. */
  readonly record?: TurnRecord | undefined;
}

export type TakenOver =
  | { status: "taken"; turn: AbandonedTurn }
  /** A replica runs it. */
  | { status: "running"; turnId: string }
  /** No turn waits to be taken over. */
  | { status: "none" };

export type BegunTurn =
  | {
      status: "started";
      lease: TurnLease;
      /** The one of `promptVersions` that the session has. */
      promptVersion?: string | undefined;
      /** What the session's turns before have used; undefined: nothing. */
      sessionTokens?: number | undefined;
    }
  /** The session has used `maxSessionTokens`. */
  | { status: "budget-spent"; sessionTokens: number }
  /** The turn of another message is running. */
  | { status: "in-progress"; turnId: string }
  /** A message with this id was taken before: its turn is running or has ended. Its frames follow `seqBefore`. */
  | { status: "repeated"; turnId: string; seqBefore: number; running: boolean }
  /** The session's last turn, of this message or another, is to be taken over first. */
  | { status: "abandoned"; turnId: string }
  | { status: "unknown-session" };

export type AnsweredCall =
  /** It was the last answer. The turn goes on as one does that was taken over. */
  | { status: "started"; turn: AbandonedTurn }
  /** Other calls wait still. */
  | { status: "recorded" }
  /** No such call waits: it was answered before, or its session went on without the answer, or there never was one. */
  | { status: "not-open" }
  | { status: "unknown-session" };

export interface SessionStore {
  /** Whether writes that were acknowledged may be gone later. The turn then keeps them for a while. */
  readonly mayLoseWrites: boolean;
  /** Rejects with SessionExistsError when there is such a session, and it is not as this call would have made it. */
  create(sessionId: string, client: SessionClient): Promise<void>;
  /** Counts as activity. `undefined`: unknown, expired, or another owner's. */
  find(sessionId: string, owner: string): Promise<SessionSummary | undefined>;
  /** The messages that are kept, whole turns, oldest first; none for an unknown session. */
  history(sessionId: string): Promise<HistoryMessage[]>;
  /**
   * One turn at a time in a session, across connections and replicas. Adds the user's message to the history. Calls that wait
   * for an approval wait no more.
   */
  beginTurn(sessionId: string, owner: string, turn: NewTurn): Promise<BegunTurn>;
  /**
   * Undoes a `beginTurn` whose answer never came, if it was done: as if the message had not been sent. Nothing happens
   * to a turn that has frames, or was taken over.
   */
  withdrawTurn(sessionId: string, turn: Pick<NewTurn, "turnId" | "messageId">): Promise<void>;
  /**
   * Answers a call that waits. Of many answers to one call, one is taken. With the last answer that the session waits for, the
   * turn that goes on begins, in the same step. Such a turn is not to be withdrawn.
   */
  answerCall(sessionId: string, owner: string, answer: CallAnswer): Promise<AnsweredCall>;
  /**
   * Takes the turn whose lease ended without `endTurn`. When many replicas try, one succeeds, and the writes of the one that
   * had the turn before are refused from then on. `claim` tells one attempt from the others; with the same claim, the turn
   * that was taken is given again.
   */
  takeOver(
    sessionId: string,
    owner: string,
    claim: string,
    /** The replica that is to go on with the turn, by the name that people know it by. */
    replica?: string,
  ): Promise<TakenOver>;
  /**
   * Frames and journal entries, kept in one step. Rejects with TurnLostError when the lease has passed on. Frames are in
   * order of `seq`, without a gap; those that the store has already are passed over, and FrameGapError says which ones
   * it lacks before the first. The same goes for the journal.
   */
  appendFrames(
    lease: TurnLease,
    frames: readonly TurnFrame[],
    journal?: JournalPart,
  ): Promise<void>;
  renewTurn(lease: TurnLease): Promise<void>;
  /** Abandons the turn for another process to take over at once. False: there is no other process that could. */
  handOver(lease: TurnLease): Promise<boolean>;
  /**
   * Asks the replica that runs the session's turn to stop it. `abandoned`: no replica runs it; the one that takes it over
   * learns of the cancel.
   */
  cancelTurn(sessionId: string, owner: string): Promise<"requested" | "abandoned" | "none">;
  /** Calls back, at least once, soon after `cancelTurn`, of this store or another one, until the returned function is called. */
  onCancel(lease: TurnLease, listener: () => void): () => void;
  /**
   * The turn's last frames, its messages, and the end of its lease, in one step. Where the frames have approval requests, the
   * session waits for their answers, and the messages are for the case that none comes: see `waiting-calls.ts`.
   */
  endTurn(lease: TurnLease, end: TurnEnd): Promise<void>;
  /**
   * Gives the kept frames with `seq` > after, then those of the turn that is running, as they come, from this replica or
   * another one. Ends when no turn is running and all was given, and when `signal` is aborted. Rejects with
   * FramesForgottenError in place of leaving frames out. Does not count as activity: the session's ttl is not renewed.
   */
  frames(
    sessionId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly TurnFrame[]>;
  /**
   * A page of this agent's sessions, of all owners, newest activity first. A session that is used meanwhile moves to the front,
   * and no page has a session that an earlier one had. Sessions that an earlier version left in a shared store are listed when
   * they are used next.
   */
  list(query: SessionQuery): Promise<SessionPage>;
  /**
   * Counts what was used on a day, like 2026-11-29, and answers what all replicas of this agent have used on it, where they share
   * the store. What could not be written is written with the next call for the day, so a call is not to be repeated but with no tokens.
   */
  countTokens(day: string, tokens: number): Promise<number>;
  /** `undefined`: unknown, expired, or another agent's. */
  timeline(sessionId: string): Promise<SessionTimeline | undefined>;
  /**
   * Deletes all of a session in one step. A turn that runs in it is stopped, and its writes reject with SessionGoneError.
   * Answers whether there was such a session of this agent.
   */
  delete(sessionId: string): Promise<boolean>;
  /**
   * Makes a session out of another one: what was said in whole turns, their records, the version of its prompt pack. Calls that
   * wait for an approval do not come along. It counts to the new client as `create` does, and rejects as that does; with the same
   * arguments, the same session is taken for the new one.
   */
  fork(sessionId: string, fork: NewFork): Promise<ForkOutcome>;
  /** Sets the ttl of every session from now on. Another store on the same sessions goes on with the ttl that it was told. */
  setTtl(ttlMs: number): void;
  /**
   * Sets, from now on, how many bytes the sessions of one holder may take. A holder who needs more loses the sessions that
   * were not used for the longest time, first the big ones among them, and never one with a running turn.
   */
  setMaxBytesPerHolder(bytes: number): void;
  /** Counts the sessions that this store holds now; for a shared store, those that this process has touched within their ttl. */
  activeSessions(): number;
  /** Resolves when the store answers. Readiness depends on it. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const UNAVAILABLE = "the session store is unavailable: ";

/** The store did not answer: nothing is known of the session. */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";

  /** What is wrong with the store, as the end of a sentence, where the message says it. */
  get problem(): string | undefined {
    return this.message.startsWith(UNAVAILABLE)
      ? this.message.slice(UNAVAILABLE.length)
      : undefined;
  }
}

/** The store is full of sessions whose turns are running, so that none could make way. */
export class StoreFullError extends StoreUnavailableError {}

/** The store holds something under the id of a session that cannot be read as a session. */
export class CorruptSessionError extends Error {
  override readonly name = "CorruptSessionError";
}

/** There is a session with this id already. */
export class SessionExistsError extends Error {
  override readonly name = "SessionExistsError";
}

/**
 * Frames between `lastSeq`, the last one that the store has, and the first one given are missing, or journal entries: the
 * store has `journaled` of them.
 */
export class FrameGapError extends Error {
  override readonly name = "FrameGapError";
  readonly lastSeq: number;
  readonly journaled: number;

  constructor(lastSeq: number, journaled: number) {
    super(`what follows seq ${lastSeq} and journal entry ${journaled} is missing`);
    this.lastSeq = lastSeq;
    this.journaled = journaled;
  }
}

/** Frames that were asked for are no longer kept; those that follow `keptAfter` are. */
export class FramesForgottenError extends Error {
  override readonly name = "FramesForgottenError";
  readonly keptAfter: number;

  constructor(keptAfter: number) {
    super(`frames up to seq ${keptAfter} are no longer kept`);
    this.keptAfter = keptAfter;
  }
}

/** The turn's lease has passed to another process, or the session is gone; the turn must stop writing. */
export class TurnLostError extends Error {
  override readonly name: string = "TurnLostError";
}

/** The session of a turn is not there any more: it was deleted. */
export class SessionGoneError extends TurnLostError {
  override readonly name = "SessionGoneError";
}
