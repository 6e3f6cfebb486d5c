/** Sessions in the memory of this process: bounded in number and bytes, and gone with it. */
import type { Clock } from "../../../time/clock.ts";
import type { TurnFrame } from "../../../protocol/frames.ts";
import { ExpiryQueue } from "../expiry-queue.ts";
import type { HistoryMessage } from "../history-message.ts";
import { nextChange, wakeFollowers } from "./followers.ts";
import { HolderShares } from "./holder-shares.ts";
import { beginIn, started, withdrawIn } from "./begun-turn.ts";
import { describeSession, summaryOf, timelineOf } from "./describe-session.ts";
import { forkOf } from "./forked-session.ts";
import { keptMessage } from "./kept-messages.ts";
import { listSessions } from "./list-sessions.ts";
import { assertFollow, gone, lost } from "./refused-write.ts";
import { fairBytes, SessionRoom } from "./session-room.ts";
import { bytesOfFrames } from "./kept-frames.ts";
import {
  appendFrames,
  bytesOfEntries,
  bytesOfSession,
  keptEntry,
  newMemorySession,
  type MemorySession,
  type UnendedTurn,
} from "./memory-session.ts";
import type { SessionClient } from "../session-client.ts";
import { beginWait, goOn, takeAnswer, takenTurn } from "./waiting-turn.ts";
import { addCounts, countsOf, tokensOf } from "../session-counts.ts";
import { TokensByDay } from "../tokens-by-day.ts";
import type {
  ForkOutcome,
  NewFork,
  SessionPage,
  SessionQuery,
  SessionTimeline,
} from "../session-listing.ts";
import {
  FRAME_RETENTION_MS,
  FrameGapError,
  FramesForgottenError,
  MAX_BYTES_PER_HOLDER,
  SessionExistsError,
  StoreUnavailableError,
  TURN_LEASE_MS,
  type AnsweredCall,
  type BegunTurn,
  type NewTurn,
  type SessionStore,
  type SessionSummary,
  type TakenOver,
  type TurnEnd,
  type TurnLease,
} from "../session-store.ts";
import { NO_JOURNAL, type JournalPart } from "../turn-journal.ts";
import { requestsIn, type CallAnswer } from "../waiting-calls.ts";

export const MAX_MEMORY_SESSIONS = 100_000;
export const MAX_MEMORY_BYTES = 128 * 1024 * 1024;
/** The activity of a session whose turn is writing is noted so often. */
const TOUCH_AGAIN_MS = 100;
/** What lies closer together than this is one activity. */
const SAME_MOMENT_MS = 1;

export interface MemorySessionStoreOptions {
  ttlMs: number;
  leaseMs?: number | undefined;
  clock: Clock;
  maxSessions?: number | undefined;
  maxBytes?: number | undefined;
  maxBytesPerHolder?: number | undefined;
}

export class MemorySessionStore implements SessionStore {
  readonly mayLoseWrites: boolean = false;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #maxSessions: number;
  readonly #sessions = new Map<string, MemorySession>();
  /** Every session, in the order of their last activity. */
  readonly #byActivity: ExpiryQueue<MemorySession>;
  /** Sessions that hold frames of ended turns, in the order in which their last turns ended. */
  readonly #byTurnEnd: ExpiryQueue<MemorySession>;
  readonly #shares: HolderShares<MemorySession>;
  readonly #room: SessionRoom;
  /** What the monotonic clock is behind the time since 1970; fixed, so that the order of the sessions is. */
  readonly #epoch: number;
  readonly #tokens = new TokensByDay();
  #ttlMs: number;
  #closed = false;

  constructor(options: MemorySessionStoreOptions) {
    this.#clock = options.clock;
    this.#leaseMs = options.leaseMs ?? TURN_LEASE_MS;
    this.#maxSessions = options.maxSessions ?? MAX_MEMORY_SESSIONS;
    this.#epoch = options.clock.now() - options.clock.monotonic();
    this.#ttlMs = options.ttlMs;
    const { maxBytes = MAX_MEMORY_BYTES } = options;
    this.#shares = new HolderShares(fairBytes(maxBytes));
    this.#byActivity = new ExpiryQueue(options.clock, options.ttlMs, (session) => {
      if (this.#isRunning(session)) this.#touch(session);
      else this.#remove(session);
    });
    this.#room = new SessionRoom({
      shares: this.#shares,
      byActivity: this.#byActivity,
      maxBytes,
      maxBytesPerHolder: options.maxBytesPerHolder ?? MAX_BYTES_PER_HOLDER,
      isRunning: (session) => this.#isRunning(session),
      remove: (session) => this.#remove(session),
    });
    this.#byTurnEnd = new ExpiryQueue(options.clock, FRAME_RETENTION_MS, (session) => {
      session.frames.forgetOld(this.#clock.monotonic());
      this.#count(session);
    });
  }

  async create(sessionId: string, { owner, holder }: SessionClient): Promise<void> {
    const existing = this.#find(sessionId);
    if (existing !== undefined) {
      if (existing.fence === 0 && existing.owner === owner) return;
      throw new SessionExistsError("there is a session with this id already");
    }
    this.#add(newMemorySession(sessionId, { owner, holder }, this.#clock.now()));
  }

  async find(sessionId: string, owner: string): Promise<SessionSummary | undefined> {
    const session = this.#findOwn(sessionId, owner);
    if (session === undefined) return undefined;
    this.#touch(session);
    return summaryOf(session, this.#isRunning(session));
  }

  async history(sessionId: string): Promise<HistoryMessage[]> {
    return this.#find(sessionId)?.messages.toArray() ?? [];
  }

  async beginTurn(sessionId: string, owner: string, turn: NewTurn): Promise<BegunTurn> {
    const { turnId, messageId } = turn;
    const now = this.#clock.monotonic();
    const session = this.#findOwn(sessionId, owner, now);
    if (session === undefined) return { status: "unknown-session" };
    this.#touch(session, now);

    const { unended } = session;
    const isRunning = this.#isRunning(session, now);
    if (unended?.lease.turnId === turnId && unended.claim === turnId) {
      unended.leaseUntil = now + this.#leaseMs;
      return started(session, unended.lease);
    }
    const seen = messageId === undefined ? undefined : session.messageIds.find(messageId);
    if (seen !== undefined && (isRunning || unended?.lease.turnId !== seen.turnId)) {
      const { turnId: id, seqBefore } = seen;
      const runs = isRunning && unended?.lease.turnId === id;
      return { status: "repeated", turnId: id, seqBefore, running: runs };
    }
    if (unended !== undefined) {
      return { status: isRunning ? "in-progress" : "abandoned", turnId: unended.lease.turnId };
    }

    const sessionTokens = tokensOf(session.counts);
    if (sessionTokens >= (turn.maxSessionTokens ?? Infinity))
      return { status: "budget-spent", sessionTokens };
    const message = keptMessage({ role: "user", turnId, content: turn.userMessage });
    this.#room.make(message.bytes + (messageId?.length ?? 0), session);
    const lease = beginIn(session, turn, { message, now, leaseUntil: now + this.#leaseMs });
    this.#count(session);
    return started(session, lease);
  }

  async withdrawTurn(
    sessionId: string,
    { turnId, messageId }: Pick<NewTurn, "turnId" | "messageId">,
  ): Promise<void> {
    const session = this.#find(sessionId);
    const turn = session?.unended;
    if (session === undefined || turn?.lease.turnId !== turnId || turn.claim !== turnId) return;
    if (session.lastSeq !== turn.lease.seqBefore) return;
    withdrawIn(session, { messageId, now: this.#clock.monotonic() });
    this.#count(session);
    wakeFollowers(session);
  }

  async answerCall(sessionId: string, owner: string, answer: CallAnswer): Promise<AnsweredCall> {
    const session = this.#findOwn(sessionId, owner);
    if (session === undefined) return { status: "unknown-session" };
    this.#touch(session);
    const { turnId } = answer;
    const leaseUntil = this.#clock.monotonic() + this.#leaseMs;
    const { unended, waiting } = session;
    if (unended?.lease.turnId === turnId && unended.claim === turnId) {
      unended.leaseUntil = leaseUntil;
      return { status: "started", turn: takenTurn(unended, session) };
    }
    const taken = takeAnswer(session, answer);
    this.#count(session);
    if (taken !== "complete" || waiting === undefined) {
      return { status: taken === "recorded" ? "recorded" : "not-open" };
    }
    session.frames.forgetOld(this.#clock.monotonic());
    const turn = goOn(session, waiting, { answer, leaseUntil });
    this.#count(session);
    return { status: "started", turn: takenTurn(turn, session) };
  }

  async takeOver(
    sessionId: string,
    owner: string,
    claim: string,
    replica?: string,
  ): Promise<TakenOver> {
    const session = this.#findOwn(sessionId, owner);
    const turn = session?.unended;
    if (session === undefined || turn === undefined) return { status: "none" };
    this.#touch(session);
    const isRepeated = turn.claim === claim;
    if (this.#isRunning(session) && !isRepeated) {
      return { status: "running", turnId: turn.lease.turnId };
    }
    if (!isRepeated) {
      session.fence += 1;
      turn.lease = { ...turn.lease, fence: session.fence };
      turn.claim = claim;
      turn.journal.push({ type: "taken-over", replica });
    }
    turn.leaseUntil = this.#clock.monotonic() + this.#leaseMs;
    return { status: "taken", turn: takenTurn(turn, session) };
  }

  async appendFrames(
    lease: TurnLease,
    frames: readonly TurnFrame[],
    { first, entries }: JournalPart = NO_JOURNAL,
  ): Promise<void> {
    const now = this.#clock.monotonic();
    const session = this.#holder(lease, now);
    const turn = session.unended;
    if (turn === undefined) throw lost();
    const known = turn.journal.length;
    assertFollow(session, frames);
    if (entries.length > 0 && first > known) throw new FrameGapError(session.lastSeq, known);
    const fresh = first === known ? entries : entries.slice(known - first);
    const journalBytes = bytesOfEntries(fresh);
    this.#room.make(bytesOfFrames(frames) + journalBytes, session);
    for (const entry of fresh) turn.journal.push(keptEntry(entry));
    turn.journalBytes += journalBytes;
    session.bytes += journalBytes;
    appendFrames(session, frames);
    this.#count(session);
    this.#renew(session, turn, now);
    wakeFollowers(session);
  }

  async handOver(): Promise<boolean> {
    return false;
  }

  async cancelTurn(sessionId: string, owner: string): Promise<"requested" | "abandoned" | "none"> {
    const session = this.#findOwn(sessionId, owner);
    if (session?.unended === undefined) return "none";
    this.#touch(session);
    session.unended.isCancelled = true;
    if (!this.#isRunning(session)) return "abandoned";
    session.unended.onCancel?.();
    return "requested";
  }

  onCancel({ sessionId, turnId }: TurnLease, listener: () => void): () => void {
    const turn = this.#sessions.get(sessionId)?.unended;
    // Nobody can ask for the end of a turn that is not there any more.
    if (turn?.lease.turnId !== turnId) return () => {};
    turn.onCancel = listener;
    return () => {
      if (turn.onCancel === listener) turn.onCancel = undefined;
    };
  }

  async renewTurn(lease: TurnLease): Promise<void> {
    const now = this.#clock.monotonic();
    const session = this.#holder(lease, now);
    if (session.unended === undefined) throw lost();
    this.#renew(session, session.unended, now);
  }

  async endTurn(lease: TurnLease, { frames, messages, record }: TurnEnd): Promise<void> {
    const now = this.#clock.monotonic();
    const session = this.#holder(lease, now);
    // An answer that comes at once is one activity with its message: the session keeps its place in the queues.
    if (now - session.touchedAt >= SAME_MOMENT_MS) this.#touch(session, now);
    const turn = session.unended;
    // The same call was made before.
    if (turn === undefined) return;
    assertFollow(session, frames);
    const kept = messages.map(keptMessage);
    let bytes = 0;
    for (const message of kept) bytes += message.bytes;
    this.#room.make(bytes + bytesOfFrames(frames), session);
    appendFrames(session, frames);
    for (const message of kept) session.messages.add(message);
    session.bytes -= turn.journalBytes;
    const requests = requestsIn(frames);
    if (requests.length > 0) beginWait(session, requests, { turn, messages: messages.length });
    if (record !== undefined) {
      session.records.add(record);
      session.counts = addCounts(session.counts, countsOf(record));
    }
    session.messages.forgetOldTurns(messages.length + 1);
    session.unended = undefined;
    session.frames.endTurn(now);
    session.frames.forgetOld(now);
    this.#byTurnEnd.touch(session, now);
    this.#count(session);
    wakeFollowers(session);
  }

  async *frames(
    sessionId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly TurnFrame[]> {
    let position = after;
    while (!signal.aborted) {
      const session = this.#find(sessionId);
      if (session === undefined) return;
      session.frames.forgetOld(this.#clock.monotonic());
      const batch = session.frames.after(position);
      const last = batch.at(-1);
      const next = batch[0]?.seq ?? session.lastSeq + 1;
      if (next > position + 1) throw new FramesForgottenError(next - 1);
      if (last !== undefined) {
        position = last.seq;
        yield batch;
      } else if (this.#isRunning(session)) {
        const waitMs = session.unended.leaseUntil - this.#clock.monotonic();
        await nextChange(session, { clock: this.#clock, waitMs, signal });
      } else {
        return;
      }
    }
  }

  async list(query: SessionQuery): Promise<SessionPage> {
    this.#assertOpen();
    query.signal?.throwIfAborted();
    const now = this.#clock.monotonic();
    return listSessions(query, {
      newestFirst: (until) =>
        this.#byActivity.newestFirst(until === undefined ? undefined : until + 1 - this.#epoch),
      activeAt: (session) => this.#timesOf(session).lastActiveAt,
      describe: (session) =>
        this.#isOver(session, now) ? undefined : describeSession(session, this.#timesOf(session)),
    });
  }

  async countTokens(day: string, tokens: number): Promise<number> {
    this.#assertOpen();
    return this.#tokens.add(day, tokens);
  }

  async timeline(sessionId: string): Promise<SessionTimeline | undefined> {
    const session = this.#find(sessionId);
    if (session === undefined) return undefined;
    session.frames.forgetOld(this.#clock.monotonic());
    return timelineOf(session, this.#timesOf(session));
  }

  async delete(sessionId: string): Promise<boolean> {
    const session = this.#find(sessionId);
    if (session === undefined) return false;
    this.#remove(session);
    // Its next write would tell it too.
    session.unended?.onCancel?.();
    return true;
  }

  async fork(sessionId: string, fork: NewFork): Promise<ForkOutcome> {
    const source = this.#find(sessionId);
    if (source === undefined) return { status: "unknown-session" };
    const existing = this.#find(fork.newSessionId);
    const { outcome, session } = forkOf(source, { existing, fork, now: this.#clock.now() });
    if (session !== undefined) this.#add(session);
    return outcome;
  }

  setTtl(ttlMs: number): void {
    this.#ttlMs = ttlMs;
    this.#byActivity.setDelay(ttlMs);
  }

  setMaxBytesPerHolder(bytes: number): void {
    this.#room.maxBytesPerHolder = bytes;
  }

  activeSessions(): number {
    this.#byActivity.sweep();
    return this.#sessions.size;
  }

  async check(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#byActivity.close();
    this.#byTurnEnd.close();
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) wakeFollowers(session);
  }

  /** What `find` finds, without counting as activity. */
  #find(sessionId: string, now = this.#clock.monotonic()): MemorySession | undefined {
    this.#assertOpen();
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    // The timer comes a little later than the time.
    if (this.#isOver(session, now)) {
      this.#remove(session);
      return undefined;
    }
    return session;
  }

  #isOver(session: MemorySession, now: number): boolean {
    return !this.#isRunning(session, now) && this.#byActivity.isDue(session, now);
  }

  #findOwn(sessionId: string, owner: string, now?: number): MemorySession | undefined {
    const session = this.#find(sessionId, now);
    return session?.owner === owner ? session : undefined;
  }

  /** The session that the lease may write to; its turn may have ended by this lease. */
  #holder(lease: TurnLease, now: number): MemorySession {
    const session = this.#find(lease.sessionId, now);
    if (session === undefined) throw gone();
    if (session.fence !== lease.fence) throw lost();
    return session;
  }

  #isRunning(
    session: MemorySession,
    now?: number,
  ): session is MemorySession & { unended: UnendedTurn } {
    const { unended } = session;
    return unended !== undefined && unended.leaseUntil > (now ?? this.#clock.monotonic());
  }

  #add(session: MemorySession): void {
    while (this.#sessions.size >= this.#maxSessions) this.#room.evictAny(session);
    this.#room.make(bytesOfSession(session), session);
    this.#sessions.set(session.id, session);
    this.#count(session);
    this.#touch(session);
  }

  /** In whole milliseconds since 1970. */
  #timesOf({ touchedAt, unended }: MemorySession): { lastActiveAt: number; expiresAt: number } {
    const expiresAt = Math.max(touchedAt + this.#ttlMs, unended?.leaseUntil ?? 0);
    return {
      lastActiveAt: Math.floor(touchedAt + this.#epoch),
      expiresAt: Math.floor(expiresAt + this.#epoch),
    };
  }

  #touch(session: MemorySession, now = this.#clock.monotonic()): void {
    session.touchedAt = now;
    this.#byActivity.touch(session, now);
    this.#shares.touch(session);
  }

  /** A turn writes many times in a second, in which its session keeps its place among those that others may make way for. */
  #renew(session: MemorySession, turn: UnendedTurn, now: number): void {
    turn.leaseUntil = now + this.#leaseMs;
    if (now - session.touchedAt >= TOUCH_AGAIN_MS) this.#touch(session, now);
  }

  #count(session: MemorySession): void {
    this.#shares.count(session, bytesOfSession(session));
  }

  #remove(session: MemorySession): void {
    this.#sessions.delete(session.id);
    this.#byActivity.delete(session);
    this.#byTurnEnd.delete(session);
    this.#shares.remove(session);
    wakeFollowers(session);
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailableError("the session store is closed");
  }
}
