/** Sessions in the memory of this process: bounded in number and bytes, and gone with it. */
import type { Clock } from "../../../time/clock.ts";
import type { TurnFrame } from "../../../protocol/frames.ts";
import { ExpiryQueue } from "../expiry-queue.ts";
import type { HistoryMessage } from "../history-message.ts";
import { nextChange, wakeFollowers } from "./followers.ts";
import { HolderShares } from "./holder-shares.ts";
import { assertFollow, full, lost } from "./refused-write.ts";
import { bytesOfFrames } from "./kept-frames.ts";
import {
  bytesOfEntries,
  bytesOfMessage,
  forgetOldTurns,
  keptEntry,
  newMemorySession,
  type MemorySession,
  type UnendedTurn,
} from "./memory-session.ts";
import type { SessionClient } from "../session-client.ts";
import { beginWait, endWait, goOn, openRequests, takeAnswer, takenTurn } from "./waiting-turn.ts";
import { userMessageText } from "../stored-values.ts";
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
  type TurnLease,
} from "../session-store.ts";
import { NO_JOURNAL, type JournalPart } from "../turn-journal.ts";
import { requestsIn, type CallAnswer } from "../waiting-calls.ts";

export const MAX_MEMORY_SESSIONS = 100_000;
export const MAX_MEMORY_BYTES = 128 * 1024 * 1024;
/** The part of the bytes past which a holder makes way before all others, and that the running turns of others leave. */
const FAIR_SHARE = 1 / 8;
/** The activity of a session whose turn is writing is noted so often. */
const TOUCH_AGAIN_MS = 100;

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
  readonly #maxBytes: number;
  #maxBytesPerHolder: number;
  /** How much the sessions of one holder may take whose turns are running. */
  readonly #maxRunningBytes: number;
  readonly #sessions = new Map<string, MemorySession>();
  /** Every session, in the order of their last activity. */
  readonly #byActivity: ExpiryQueue<MemorySession>;
  /** Sessions that hold frames of ended turns, in the order in which their last turns ended. */
  readonly #byTurnEnd: ExpiryQueue<MemorySession>;
  readonly #shares: HolderShares<MemorySession>;
  #closed = false;

  constructor(options: MemorySessionStoreOptions) {
    this.#clock = options.clock;
    this.#leaseMs = options.leaseMs ?? TURN_LEASE_MS;
    this.#maxSessions = options.maxSessions ?? MAX_MEMORY_SESSIONS;
    this.#maxBytes = options.maxBytes ?? MAX_MEMORY_BYTES;
    this.#maxBytesPerHolder = options.maxBytesPerHolder ?? MAX_BYTES_PER_HOLDER;
    const fairBytes = this.#maxBytes * FAIR_SHARE;
    this.#maxRunningBytes = this.#maxBytes - fairBytes;
    this.#shares = new HolderShares(fairBytes);
    this.#byActivity = new ExpiryQueue(options.clock, options.ttlMs, (session) => {
      if (this.#isRunning(session)) this.#byActivity.touch(session);
      else this.#remove(session);
    });
    this.#byTurnEnd = new ExpiryQueue(options.clock, FRAME_RETENTION_MS, (session) => {
      this.#forgetOldFrames(session);
      this.#count(session);
    });
  }

  async create(sessionId: string, { owner, holder }: SessionClient): Promise<void> {
    const existing = this.#find(sessionId);
    if (existing !== undefined) {
      if (existing.fence === 0 && existing.owner === owner) return;
      throw new SessionExistsError("there is a session with this id already");
    }
    const session = newMemorySession(sessionId, { owner, holder });
    while (this.#sessions.size >= this.#maxSessions) this.#evictAny(session);
    this.#makeRoom(session.bytes, session);
    this.#sessions.set(sessionId, session);
    this.#count(session);
    this.#touch(session);
  }

  async find(sessionId: string, owner: string): Promise<SessionSummary | undefined> {
    const session = this.#findOwn(sessionId, owner);
    if (session === undefined) return undefined;
    this.#touch(session);
    const turnId = session.unended?.lease.turnId;
    const isRunning = this.#isRunning(session);
    return {
      lastSeq: session.lastSeq,
      runningTurnId: isRunning ? turnId : undefined,
      abandonedTurnId: isRunning ? undefined : turnId,
      waiting: openRequests(session),
    };
  }

  async history(sessionId: string): Promise<HistoryMessage[]> {
    const messages = this.#find(sessionId)?.messages ?? [];
    return messages.map((message) => JSON.parse(message) as HistoryMessage);
  }

  async beginTurn(sessionId: string, owner: string, turn: NewTurn): Promise<BegunTurn> {
    const { turnId, messageId, userMessage, promptVersions } = turn;
    const now = this.#clock.monotonic();
    const session = this.#findOwn(sessionId, owner, now);
    if (session === undefined) return { status: "unknown-session" };
    this.#touch(session, now);

    const { unended } = session;
    const isRunning = this.#isRunning(session, now);
    if (unended?.lease.turnId === turnId && unended.claim === turnId) {
      unended.leaseUntil = now + this.#leaseMs;
      return { status: "started", lease: unended.lease, promptVersion: session.promptVersion };
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

    const message = userMessageText(turnId, userMessage);
    const bytes = bytesOfMessage(message);
    this.#makeRoom(bytes + (messageId?.length ?? 0), session);
    endWait(session);
    session.frames.forgetOld(now);
    const seqBefore = session.lastSeq;
    session.fence += 1;
    const lease: TurnLease = { sessionId, turnId, fence: session.fence, seqBefore };
    const { promptVersion = "" } = session;
    if (promptVersions !== undefined && !promptVersions.kept.includes(promptVersion)) {
      session.promptVersion = promptVersions.fresh;
    }
    session.messages.push(message);
    session.messageBytes += bytes;
    session.frames.beginTurn(seqBefore);
    session.unended = {
      lease,
      leaseUntil: now + this.#leaseMs,
      claim: turnId,
      begun: turn,
      firstTurnId: turnId,
      journal: [],
      journalBytes: 0,
      isCancelled: false,
      onCancel: undefined,
    };
    session.messageIds.add(messageId, { fence: session.fence, turnId, seqBefore });
    this.#count(session);
    return { status: "started", lease, promptVersion: session.promptVersion };
  }

  async withdrawTurn(
    sessionId: string,
    { turnId, messageId }: Pick<NewTurn, "turnId" | "messageId">,
  ): Promise<void> {
    const session = this.#find(sessionId);
    const turn = session?.unended;
    if (session === undefined || turn?.lease.turnId !== turnId || turn.claim !== turnId) return;
    if (session.lastSeq !== turn.lease.seqBefore) return;
    session.messageBytes -= bytesOfMessage(session.messages.pop() ?? "");
    if (messageId !== undefined) session.messageIds.delete(messageId);
    session.unended = undefined;
    session.frames.endTurn(this.#clock.monotonic());
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
    this.#forgetOldFrames(session);
    const turn = goOn(session, waiting, { turnId, leaseUntil });
    this.#count(session);
    return { status: "started", turn: takenTurn(turn, session) };
  }

  async takeOver(sessionId: string, owner: string, claim: string): Promise<TakenOver> {
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
      turn.journal.push({ type: "taken-over" });
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
    this.#makeRoom(bytesOfFrames(frames) + journalBytes, session);
    for (const entry of fresh) turn.journal.push(keptEntry(entry));
    turn.journalBytes += journalBytes;
    session.bytes += journalBytes;
    this.#append(session, frames);
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
    if (turn?.lease.turnId !== turnId) return doNothing;
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

  async endTurn(
    lease: TurnLease,
    { frames, messages }: { frames: readonly TurnFrame[]; messages: readonly HistoryMessage[] },
  ): Promise<void> {
    const now = this.#clock.monotonic();
    const session = this.#holder(lease, now);
    this.#touch(session, now);
    const turn = session.unended;
    // The same call was made before.
    if (turn === undefined) return;
    assertFollow(session, frames);
    const stored = messages.map((message) => JSON.stringify(message));
    let bytes = 0;
    for (const text of stored) bytes += bytesOfMessage(text);
    this.#makeRoom(bytes + bytesOfFrames(frames), session);
    this.#append(session, frames);
    session.messages.push(...stored);
    session.messageBytes += bytes;
    session.bytes -= turn.journalBytes;
    const requests = requestsIn(frames);
    if (requests.length > 0) beginWait(session, requests, { turn, messages: stored.length });
    forgetOldTurns(session, stored.length + 1);
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
      this.#forgetOldFrames(session);
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

  setTtl(ttlMs: number): void {
    this.#byActivity.setDelay(ttlMs);
  }

  setMaxBytesPerHolder(bytes: number): void {
    this.#maxBytesPerHolder = bytes;
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
    if (!this.#isRunning(session, now) && this.#byActivity.isDue(session, now)) {
      this.#remove(session);
      return undefined;
    }
    return session;
  }

  #findOwn(sessionId: string, owner: string, now?: number): MemorySession | undefined {
    const session = this.#find(sessionId, now);
    return session?.owner === owner ? session : undefined;
  }

  /** The session that the lease may write to; its turn may have ended by this lease. */
  #holder(lease: TurnLease, now: number): MemorySession {
    const session = this.#find(lease.sessionId, now);
    if (session === undefined || session.fence !== lease.fence) throw lost();
    return session;
  }

  #isRunning(
    session: MemorySession,
    now?: number,
  ): session is MemorySession & { unended: UnendedTurn } {
    const { unended } = session;
    return unended !== undefined && unended.leaseUntil > (now ?? this.#clock.monotonic());
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

  #append(session: MemorySession, frames: readonly TurnFrame[]): void {
    const isFresh = (frames[0]?.seq ?? 0) > session.lastSeq;
    const fresh = isFresh ? frames : frames.filter((frame) => frame.seq > session.lastSeq);
    session.frames.append(fresh);
    session.lastSeq += fresh.length;
  }

  #forgetOldFrames(session: MemorySession): void {
    session.frames.forgetOld(this.#clock.monotonic());
  }

  /** Brings the sum of all sessions up to date with this one. */
  #count(session: MemorySession): void {
    const { bytes, messageBytes, frames, messageIds } = session;
    this.#shares.count(session, bytes + messageBytes + frames.bytes + messageIds.bytes);
  }

  /** Rejects with StoreFullError when there is no room but that of running turns, or too much of it is this holder's. */
  #makeRoom(bytes: number, needing: MemorySession): void {
    const shares = this.#shares;
    const { holder } = needing;
    const needed = shares.bytesOf(holder) + bytes;
    if (
      needed > this.#maxRunningBytes &&
      this.#runningBytes(needing) + bytes > this.#maxRunningBytes
    )
      throw full();
    while (shares.bytesOf(holder) + bytes > this.#maxBytesPerHolder) {
      if (!this.#evict(shares.of(holder), needing)) throw full();
    }
    while (shares.bytes + bytes > this.#maxBytes) this.#evictAny(needing);
  }

  #evictAny(needing: MemorySession): void {
    const isEvicted =
      this.#evict(this.#shares.ofLargeHolders(), needing) ||
      this.#evict(this.#byActivity.values(), needing);
    if (!isEvicted) throw full();
  }

  /** Removes the first one of these that may go; answers whether there was one. */
  #evict(sessions: Iterable<MemorySession>, needing: MemorySession): boolean {
    for (const session of sessions) {
      if (session === needing || this.#isRunning(session)) continue;
      this.#remove(session);
      return true;
    }
    return false;
  }

  /** What the sessions of the holder take that cannot make way for the one that needs room, itself included. */
  #runningBytes(needing: MemorySession): number {
    let bytes = 0;
    for (const session of this.#shares.of(needing.holder)) {
      if (session === needing || this.#isRunning(session)) bytes += session.countedBytes;
    }
    return bytes;
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

function doNothing(): void {}
