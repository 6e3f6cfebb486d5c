/** Sessions in the memory of this process: bounded in number and bytes, and gone with it. */
import type { Clock } from "../../../time/clock.ts";
import type { TurnFrame } from "../../../protocol/frames.ts";
import { ExpiryQueue } from "../expiry-queue.ts";
import type { HistoryMessage } from "../history-message.ts";
import { bytesOfFrames, KeptFrames } from "./kept-frames.ts";
import { firstSeqOf } from "../stored-values.ts";
import {
  FRAME_RETENTION_MS,
  FrameGapError,
  FramesForgottenError,
  MAX_REMEMBERED_TURNS,
  SessionExistsError,
  StoreFullError,
  StoreUnavailableError,
  TURN_LEASE_MS,
  TurnLostError,
  type BegunTurn,
  type NewTurn,
  type SessionStore,
  type SessionSummary,
  type TakenOver,
  type TurnLease,
} from "../session-store.ts";
import { NO_JOURNAL, type JournalEntry, type JournalPart } from "../turn-journal.ts";

export const MAX_MEMORY_SESSIONS = 100_000;
export const MAX_MEMORY_BYTES = 128 * 1024 * 1024;

/** What a session takes before anything was said in it, and a message beside its text. */
const SESSION_OVERHEAD_BYTES = 1024;
const MESSAGE_OVERHEAD_BYTES = 32;

/** A turn that has not ended. */
interface RunningTurn {
  lease: TurnLease;
  leaseUntil: number;
  /** The attempt to begin it or to take it over that succeeded. */
  claim: string;
  readonly begun: NewTurn;
  readonly journal: JournalEntry[];
  journalBytes: number;
  isCancelled: boolean;
}

interface TakenMessage {
  readonly fence: number;
  readonly turnId: string;
  readonly seqBefore: number;
}

interface Session {
  readonly id: string;
  readonly subject: string | undefined;
  lastSeq: number;
  fence: number;
  /** As JSON: what is handed out cannot be changed in here, and it is small. */
  readonly messages: string[];
  readonly frames: KeptFrames;
  running: RunningTurn | undefined;
  /** By message id, the oldest turn first. */
  takenMessages: Map<string, TakenMessage> | undefined;
  /** What was counted of it; the frames count for themselves. */
  bytes: number;
  countedBytes: number;
  /** Called once, when frames came, a turn ended, or the session is gone. */
  followers: Set<() => void> | undefined;
}

export interface MemorySessionStoreOptions {
  ttlMs: number;
  leaseMs?: number;
  clock: Clock;
  maxSessions?: number;
  maxBytes?: number;
}

export class MemorySessionStore implements SessionStore {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #maxSessions: number;
  readonly #maxBytes: number;
  readonly #sessions = new Map<string, Session>();
  /** Every session, by its last activity. */
  readonly #byActivity: ExpiryQueue<Session>;
  /** Sessions that hold frames of ended turns, by the end of their last turn. */
  readonly #byTurnEnd: ExpiryQueue<Session>;
  /** By turn id. */
  readonly #cancelListeners = new Map<string, () => void>();
  #bytes = 0;
  #closed = false;

  constructor(options: MemorySessionStoreOptions) {
    this.#clock = options.clock;
    this.#leaseMs = options.leaseMs ?? TURN_LEASE_MS;
    this.#maxSessions = options.maxSessions ?? MAX_MEMORY_SESSIONS;
    this.#maxBytes = options.maxBytes ?? MAX_MEMORY_BYTES;
    this.#byActivity = new ExpiryQueue(options.clock, options.ttlMs, (session) => {
      if (this.#isRunning(session)) this.#byActivity.touch(session);
      else this.#remove(session);
    });
    this.#byTurnEnd = new ExpiryQueue(options.clock, FRAME_RETENTION_MS, (session) => {
      this.#forgetOldFrames(session);
      this.#count(session);
    });
  }

  async create(sessionId: string, { subject }: { subject?: string }): Promise<void> {
    const existing = this.#find(sessionId);
    if (existing !== undefined) {
      if (existing.fence === 0 && existing.subject === subject) return;
      throw new SessionExistsError("there is a session with this id already");
    }
    const bytes = SESSION_OVERHEAD_BYTES + 2 * (sessionId.length + (subject?.length ?? 0));
    const session: Session = {
      id: sessionId,
      subject,
      lastSeq: 0,
      fence: 0,
      messages: [],
      frames: new KeptFrames(),
      running: undefined,
      takenMessages: undefined,
      bytes,
      countedBytes: 0,
      followers: undefined,
    };
    while (this.#sessions.size >= this.#maxSessions) this.#evict(session);
    this.#makeRoom(bytes, session);
    this.#sessions.set(sessionId, session);
    this.#count(session);
    this.#byActivity.touch(session);
  }

  async find(sessionId: string): Promise<SessionSummary | undefined> {
    const session = this.#find(sessionId);
    if (session === undefined) return undefined;
    this.#byActivity.touch(session);
    return {
      lastSeq: session.lastSeq,
      ...(session.subject === undefined ? {} : { subject: session.subject }),
      ...(session.running === undefined
        ? {}
        : this.#isRunning(session)
          ? { runningTurnId: session.running.lease.turnId }
          : { abandonedTurnId: session.running.lease.turnId }),
    };
  }

  async history(sessionId: string): Promise<HistoryMessage[]> {
    const messages = this.#find(sessionId)?.messages ?? [];
    return messages.map((message) => JSON.parse(message) as HistoryMessage);
  }

  async beginTurn(sessionId: string, turn: NewTurn): Promise<BegunTurn> {
    const { turnId, messageId, userMessage } = turn;
    const session = this.#find(sessionId);
    if (session === undefined) return { status: "unknown-session" };
    this.#byActivity.touch(session);

    const { running } = session;
    const isRunning = this.#isRunning(session);
    if (running?.lease.turnId === turnId && running.claim === turnId) {
      running.leaseUntil = this.#clock.monotonic() + this.#leaseMs;
      return { status: "started", lease: running.lease };
    }
    const taken = messageId === undefined ? undefined : session.takenMessages?.get(messageId);
    if (taken !== undefined && (isRunning || running?.lease.turnId !== taken.turnId)) {
      const { turnId: id, seqBefore } = taken;
      const runs = isRunning && running?.lease.turnId === id;
      return { status: "repeated", turnId: id, seqBefore, running: runs };
    }
    if (running !== undefined) {
      return { status: isRunning ? "in-progress" : "abandoned", turnId: running.lease.turnId };
    }

    const message = JSON.stringify({ role: "user", turnId, content: userMessage });
    const bytes = Buffer.byteLength(message) + MESSAGE_OVERHEAD_BYTES + (messageId?.length ?? 0);
    this.#makeRoom(bytes, session);
    this.#forgetOldFrames(session);
    const seqBefore = session.lastSeq;
    session.fence += 1;
    const lease: TurnLease = { sessionId, turnId, fence: session.fence, seqBefore };
    session.messages.push(message);
    session.bytes += bytes;
    session.frames.beginTurn(seqBefore);
    session.running = {
      lease,
      leaseUntil: this.#clock.monotonic() + this.#leaseMs,
      claim: turnId,
      begun: turn,
      journal: [],
      journalBytes: 0,
      isCancelled: false,
    };
    this.#rememberMessage(session, messageId, { fence: session.fence, turnId, seqBefore });
    this.#count(session);
    return { status: "started", lease };
  }

  async withdrawTurn(
    sessionId: string,
    { turnId, messageId }: Pick<NewTurn, "turnId" | "messageId">,
  ): Promise<void> {
    const session = this.#find(sessionId);
    const turn = session?.running;
    if (session === undefined || turn?.lease.turnId !== turnId || turn.claim !== turnId) return;
    if (session.lastSeq !== turn.lease.seqBefore) return;
    session.bytes -= Buffer.byteLength(session.messages.pop() ?? "") + MESSAGE_OVERHEAD_BYTES;
    if (messageId !== undefined && session.takenMessages?.delete(messageId) === true) {
      session.bytes -= messageId.length;
    }
    session.running = undefined;
    session.frames.endTurn(this.#clock.monotonic());
    this.#count(session);
    this.#wakeFollowers(session);
  }

  async takeOver(sessionId: string, claim: string): Promise<TakenOver> {
    const session = this.#find(sessionId);
    const turn = session?.running;
    if (session === undefined || turn === undefined) return { status: "none" };
    this.#byActivity.touch(session);
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
    const { userMessage, messageId, origin = {} } = turn.begun;
    return {
      status: "taken",
      turn: {
        lease: turn.lease,
        lastSeq: session.lastSeq,
        userMessage,
        messageId,
        origin,
        journal: turn.journal.slice(),
        isCancelled: turn.isCancelled,
      },
    };
  }

  async appendFrames(
    lease: TurnLease,
    frames: readonly TurnFrame[],
    { first, entries }: JournalPart = NO_JOURNAL,
  ): Promise<void> {
    const session = this.#holder(lease);
    const turn = session.running;
    if (turn === undefined) throw lost();
    const known = turn.journal.length;
    assertFollow(session, frames);
    if (entries.length > 0 && first > known) throw new FrameGapError(session.lastSeq, known);
    const fresh = entries.slice(known - first);
    const journalBytes = bytesOfEntries(fresh);
    this.#makeRoom(bytesOfFrames(frames) + journalBytes, session);
    turn.journal.push(...fresh);
    turn.journalBytes += journalBytes;
    session.bytes += journalBytes;
    this.#append(session, frames);
    this.#count(session);
    this.#renew(session, turn);
    this.#wakeFollowers(session);
  }

  async handOver(): Promise<boolean> {
    return false;
  }

  async cancelTurn(sessionId: string): Promise<"requested" | "abandoned" | "none"> {
    const session = this.#find(sessionId);
    if (session?.running === undefined) return "none";
    this.#byActivity.touch(session);
    session.running.isCancelled = true;
    if (!this.#isRunning(session)) return "abandoned";
    this.#cancelListeners.get(session.running.lease.turnId)?.();
    return "requested";
  }

  onCancel({ turnId }: TurnLease, listener: () => void): () => void {
    this.#cancelListeners.set(turnId, listener);
    return () => {
      if (this.#cancelListeners.get(turnId) === listener) this.#cancelListeners.delete(turnId);
    };
  }

  async renewTurn(lease: TurnLease): Promise<void> {
    const session = this.#holder(lease);
    if (session.running === undefined) throw lost();
    this.#renew(session, session.running);
  }

  async endTurn(
    lease: TurnLease,
    { frames, messages }: { frames: readonly TurnFrame[]; messages: readonly HistoryMessage[] },
  ): Promise<void> {
    const session = this.#holder(lease);
    this.#byActivity.touch(session);
    // The same call repeated.
    if (session.running === undefined) return;
    assertFollow(session, frames);
    const stored = messages.map((message) => JSON.stringify(message));
    let bytes = 0;
    for (const text of stored) bytes += Buffer.byteLength(text) + MESSAGE_OVERHEAD_BYTES;
    this.#makeRoom(bytes + bytesOfFrames(frames), session);
    this.#append(session, frames);
    session.messages.push(...stored);
    session.bytes += bytes - session.running.journalBytes;
    session.running = undefined;
    session.frames.endTurn(this.#clock.monotonic());
    this.#forgetOldFrames(session);
    this.#byTurnEnd.touch(session);
    this.#count(session);
    this.#wakeFollowers(session);
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
        await this.#change(session, session.running, signal);
      } else {
        return;
      }
    }
  }

  setTtl(ttlMs: number): void {
    this.#byActivity.setDelay(ttlMs);
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
    for (const session of sessions) this.#wakeFollowers(session);
  }

  /** What `find` finds, without counting as activity. */
  #find(sessionId: string): Session | undefined {
    this.#assertOpen();
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    // The timer comes a little later than the time.
    if (this.#byActivity.isDue(session) && !this.#isRunning(session)) {
      this.#remove(session);
      return undefined;
    }
    return session;
  }

  /** The session that the lease may write to; its turn may have ended by this lease. */
  #holder(lease: TurnLease): Session {
    const session = this.#find(lease.sessionId);
    if (session === undefined || session.fence !== lease.fence) throw lost();
    return session;
  }

  #isRunning(session: Session): session is Session & { running: RunningTurn } {
    return session.running !== undefined && session.running.leaseUntil > this.#clock.monotonic();
  }

  #renew(session: Session, running: RunningTurn): void {
    running.leaseUntil = this.#clock.monotonic() + this.#leaseMs;
    this.#byActivity.touch(session);
  }

  #append(session: Session, frames: readonly TurnFrame[]): void {
    const fresh = frames.filter((frame) => frame.seq > session.lastSeq);
    session.frames.append(fresh);
    session.lastSeq += fresh.length;
  }

  #rememberMessage(session: Session, messageId: string | undefined, taken: TakenMessage): void {
    for (const [id, { fence }] of session.takenMessages ?? []) {
      if (fence > session.fence - MAX_REMEMBERED_TURNS) break;
      session.takenMessages?.delete(id);
      session.bytes -= id.length;
    }
    if (messageId !== undefined) (session.takenMessages ??= new Map()).set(messageId, taken);
  }

  #forgetOldFrames(session: Session): void {
    session.frames.forgetEndedBy(this.#clock.monotonic() - FRAME_RETENTION_MS);
  }

  /** Brings the sum of all sessions up to date with this one. */
  #count(session: Session): void {
    const bytes = session.bytes + session.frames.bytes;
    this.#bytes += bytes - session.countedBytes;
    session.countedBytes = bytes;
  }

  #makeRoom(bytes: number, needing: Session): void {
    while (this.#bytes + bytes > this.#maxBytes) this.#evict(needing);
  }

  /** Removes the session that was not used for the longest time, of those that may go. */
  #evict(needing: Session): void {
    for (const session of this.#byActivity.values()) {
      if (session === needing || this.#isRunning(session)) continue;
      this.#remove(session);
      return;
    }
    throw new StoreFullError(
      "the session store is full, and every session in it has a running turn",
    );
  }

  #remove(session: Session): void {
    this.#sessions.delete(session.id);
    this.#byActivity.delete(session);
    this.#byTurnEnd.delete(session);
    this.#bytes -= session.countedBytes;
    session.countedBytes = 0;
    this.#wakeFollowers(session);
  }

  #wakeFollowers(session: Session): void {
    const followers = session.followers;
    session.followers = undefined;
    for (const wake of followers ?? []) wake();
  }

  /** Resolves when there may be more to follow, or nothing more. */
  #change(session: Session, running: RunningTurn, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leaseLeft = running.leaseUntil - this.#clock.monotonic();
      const timer = this.#clock.setTimer(leaseLeft, wake);
      function wake(): void {
        timer.cancel();
        session.followers?.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      }
      (session.followers ??= new Set()).add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailableError("the session store is closed");
  }
}

function bytesOfEntries(entries: readonly JournalEntry[]): number {
  let bytes = 0;
  for (const entry of entries) {
    const text = entry.type === "said" ? entry.text : JSON.stringify(entry);
    bytes += Buffer.byteLength(text) + MESSAGE_OVERHEAD_BYTES;
  }
  return bytes;
}

function assertFollow(session: Session, frames: readonly TurnFrame[]): void {
  const first = firstSeqOf(frames);
  if (first === undefined || first <= session.lastSeq + 1) return;
  throw new FrameGapError(session.lastSeq, session.running?.journal.length ?? 0);
}

function lost(): TurnLostError {
  return new TurnLostError("the turn's lease has passed on, or its session is gone");
}
