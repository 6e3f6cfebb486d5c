/**
 * Sessions in Redis, shared by all replicas. Every operation is one script (see `operations`), and so one round trip whose cost
 * does not depend on the session's length. Needs Redis 6.2 or what speaks like it.
 */
import { randomBytes } from "node:crypto";
import type { StoreAddress } from "../../../agent-config/store-url.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Log } from "../../../observability/log.ts";
import type { TurnFrame } from "../../../protocol/frames.ts";
import { ExpiryQueue } from "../expiry-queue.ts";
import type { HistoryMessage } from "../history-message.ts";
import { RedisCancelSignals } from "./cancel-signals.ts";
import { DayTokens } from "./day-tokens.ts";
import { openRedisLink } from "./open-link.ts";
import type { RedisLink } from "./server-link.ts";
import { RedisFrameReader } from "./frame-reader.ts";
import { accountSessions } from "./operations/account-sessions.ts";
import { answerCall } from "./operations/answer-call.ts";
import { appendFrames } from "./operations/append-frames.ts";
import { deleteSession } from "./operations/delete-session.ts";
import { describeSession } from "./operations/describe-session.ts";
import { readSession } from "./operations/read-session.ts";
import { writeFork } from "./operations/write-fork.ts";
import { listSessions } from "./list-sessions.ts";
import { sourceOf, timelineOf } from "./read-timeline.ts";
import { SessionsByActivity } from "./sessions-by-activity.ts";
import { planFork } from "../plan-fork.ts";
import type {
  ForkOutcome,
  NewFork,
  SessionPage,
  SessionQuery,
  SessionTimeline,
} from "../session-listing.ts";
import { beginTurn } from "./operations/begin-turn.ts";
import { cancelTurn } from "./operations/cancel-turn.ts";
import { checkStore } from "./operations/check-store.ts";
import { createSession } from "./operations/create-session.ts";
import { endTurn } from "./operations/end-turn.ts";
import { findSession } from "./operations/find-session.ts";
import { forgetFrames } from "./operations/forget-frames.ts";
import { handOver } from "./operations/hand-over.ts";
import { FRAMES_PER_PAGE, readFrames } from "./operations/read-frames.ts";
import { readHistory } from "./operations/read-history.ts";
import { removeSession } from "./operations/remove-session.ts";
import { signalCancel } from "./operations/signal-cancel.ts";
import { takeOver } from "./operations/take-over.ts";
import { withdrawTurn } from "./operations/withdraw-turn.ts";
import { HolderAccounts, type NotedShare } from "./holder-accounts.ts";
import { runOperation } from "./run-operation.ts";
import {
  framesKeyOf,
  indexKeyOf,
  keysOfHolder,
  keysOfSession,
  signalsKeyOf,
} from "./script/session-keys.ts";
import type { SessionLimits, SessionOperation } from "./script/session-operation.ts";
import { framesFollowing, isFrame } from "./frames-following.ts";
import { ENTRY_KINDS, seqOfEntry, type StreamEntry } from "./script/stream-entry.ts";
import type { SessionClient } from "../session-client.ts";
import { isSessionId } from "../session-id.ts";
import {
  FRAME_RETENTION_MS,
  FramesForgottenError,
  MAX_BYTES_PER_HOLDER,
  MAX_FRAME_BYTES_PER_SESSION,
  SESSION_OVERHEAD_BYTES,
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
import type { CallAnswer } from "../waiting-calls.ts";

/** A follower looks at the session this long after the lease that it knew of has ended. */
const LEASE_GRACE_MS = 20;
/** This process remembers of so many sessions when it touched them. When there are more, it forgets the oldest. */
export const MAX_TRACKED_SESSIONS = 100_000;

export interface RedisSessionStoreOptions {
  /** Whose sessions they are. Many agents may share one Redis. */
  agent: { readonly namespace: string; readonly name: string };
  address: StoreAddress;
  /** Authorities to trust in place of the system's, PEM. */
  ca?: string | undefined;
  ttlMs: number;
  leaseMs?: number | undefined;
  maxBytesPerHolder?: number | undefined;
  clock: Clock;
  log?: Log | undefined;
}

export class RedisSessionStore implements SessionStore {
  readonly mayLoseWrites = true;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #commands: RedisLink;
  readonly #reader: RedisFrameReader;
  /** Names this process among all that share the sessions. */
  readonly #replica = randomBytes(12).toString("base64url");
  readonly #cancels: RedisCancelSignals;
  readonly #accounts: HolderAccounts;
  readonly #dayTokens: DayTokens;
  #maxBytesPerHolder: number;
  #limits: SessionLimits;
  readonly #index: SessionsByActivity;
  readonly #touched: ExpiryQueue<string>;
  /** Sessions in which this process ended a turn, whose frames it lets go when their time is over. */
  readonly #turnEnded: ExpiryQueue<string>;
  readonly #framesToForget: string[] = [];

  constructor(options: RedisSessionStoreOptions) {
    const { agent, address, ca, clock, ttlMs } = options;
    this.#clock = clock;
    this.#leaseMs = options.leaseMs ?? TURN_LEASE_MS;
    this.#commands = openRedisLink({ address, ca, clock, log: options.log });
    this.#reader = new RedisFrameReader({
      commands: this.#commands,
      // A node of a cluster lets no connection wait for streams of different slots. Otherwise a connection of its own waits.
      // It logs nothing, because what is wrong with it is wrong with the other one too.
      connect: address.kind === "cluster" ? undefined : () => openRedisLink({ address, ca, clock }),
      clock,
    });
    this.#cancels = new RedisCancelSignals({
      reader: this.#reader,
      clock,
      key: signalsKeyOf(this.#replica),
    });
    this.#accounts = new HolderAccounts({
      write: (holder, shares) => this.#writeShares(holder, shares),
      remove: (sessionId) => this.#remove(sessionId),
      log: options.log,
    });
    this.#dayTokens = new DayTokens({ link: this.#commands, agent, replica: this.#replica });
    this.#maxBytesPerHolder = options.maxBytesPerHolder ?? MAX_BYTES_PER_HOLDER;
    this.#limits = limitsOf(ttlMs, `${agent.namespace}/${agent.name}`);
    this.#index = new SessionsByActivity({
      link: this.#commands,
      key: indexKeyOf(agent),
      clock,
      ttlMs: () => this.#limits.ttl,
    });
    this.#touched = new ExpiryQueue(clock, ttlMs, () => {});
    this.#turnEnded = new ExpiryQueue(clock, FRAME_RETENTION_MS, (sessionId) => {
      this.#framesToForget.push(sessionId);
      if (this.#framesToForget.length === 1) void this.#forgetFrames();
    });
  }

  async create(sessionId: string, client: SessionClient): Promise<void> {
    if (!isSessionId(sessionId)) throw new TypeError("not a session id");
    await this.#run(createSession, sessionId, client);
    this.#touchNow(sessionId);
    const { holder } = client;
    this.#accounts.note(
      sessionId,
      { holder, size: SESSION_OVERHEAD_BYTES, fence: 0 },
      SESSION_OVERHEAD_BYTES,
    );
  }

  async find(sessionId: string, owner: string): Promise<SessionSummary | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    const found = await this.#run(findSession, sessionId, { owner });
    if (found === undefined) {
      this.#touched.delete(sessionId);
      return undefined;
    }
    this.#touchNow(sessionId);
    this.#accounts.note(sessionId, found.share, 0);
    return found.summary;
  }

  async history(sessionId: string): Promise<HistoryMessage[]> {
    if (!isSessionId(sessionId)) return [];
    return this.#run(readHistory, sessionId, {});
  }

  async beginTurn(sessionId: string, owner: string, turn: NewTurn): Promise<BegunTurn> {
    if (!isSessionId(sessionId)) return { status: "unknown-session" };
    const [leaseMs, replica] = [this.#leaseMs, this.#replica];
    const { begun, share } = await this.#run(beginTurn, sessionId, {
      sessionId,
      owner,
      turn,
      leaseMs,
      replica,
    });
    if (begun.status !== "unknown-session") this.#touchNow(sessionId);
    if (share !== undefined) this.#accounts.note(sessionId, share, turn.userMessage.length);
    return begun;
  }

  async withdrawTurn(
    sessionId: string,
    turn: Pick<NewTurn, "turnId" | "messageId">,
  ): Promise<void> {
    if (!isSessionId(sessionId)) return;
    await this.#run(withdrawTurn, sessionId, turn);
  }

  async answerCall(sessionId: string, owner: string, answer: CallAnswer): Promise<AnsweredCall> {
    if (!isSessionId(sessionId)) return { status: "unknown-session" };
    const [leaseMs, replica] = [this.#leaseMs, this.#replica];
    const { answered, share } = await this.#run(answerCall, sessionId, {
      sessionId,
      owner,
      answer,
      leaseMs,
      replica,
    });
    if (answered.status !== "unknown-session") this.#touchNow(sessionId);
    if (share !== undefined) this.#accounts.note(sessionId, share, 0);
    return answered;
  }

  async takeOver(
    sessionId: string,
    owner: string,
    claim: string,
    replicaName?: string,
  ): Promise<TakenOver> {
    if (!isSessionId(sessionId)) return { status: "none" };
    const [leaseMs, replica] = [this.#leaseMs, this.#replica];
    const taken = await this.#run(takeOver, sessionId, {
      sessionId,
      owner,
      claim,
      leaseMs,
      replica,
      replicaName,
    });
    if (taken.status !== "none") this.#touchNow(sessionId);
    return taken;
  }

  async appendFrames(
    lease: TurnLease,
    frames: readonly TurnFrame[],
    journal: JournalPart = NO_JOURNAL,
  ): Promise<void> {
    const { sessionId, turnId } = lease;
    const input = { lease, leaseMs: this.#leaseMs, frames, journal };
    const { isCancelled } = await this.#run(appendFrames, sessionId, input);
    this.#touch(sessionId);
    if (isCancelled) this.#cancels.tell(turnId);
  }

  async handOver(lease: TurnLease): Promise<boolean> {
    await this.#run(handOver, lease.sessionId, lease);
    this.#touch(lease.sessionId);
    return true;
  }

  async cancelTurn(sessionId: string, owner: string): Promise<"requested" | "abandoned" | "none"> {
    if (!isSessionId(sessionId)) return "none";
    const cancelled = await this.#run(cancelTurn, sessionId, { owner });
    if (cancelled.status === "none") return "none";
    this.#touch(sessionId);
    if (cancelled.status === "abandoned") return "abandoned";
    await this.#stop(cancelled.turnId, cancelled.replica);
    return "requested";
  }

  onCancel(lease: TurnLease, listener: () => void): () => void {
    return this.#cancels.listen(lease.turnId, listener);
  }

  async renewTurn(lease: TurnLease): Promise<void> {
    await this.appendFrames(lease, []);
    this.#index.note(lease.sessionId);
  }

  async endTurn(lease: TurnLease, end: TurnEnd): Promise<void> {
    const { sessionId } = lease;
    const { share, added } = await this.#run(endTurn, sessionId, { lease, ...end });
    this.#touchNow(sessionId);
    this.#accounts.note(sessionId, share, added);
    track(this.#turnEnded, sessionId);
  }

  async *frames(
    sessionId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly TurnFrame[]> {
    if (!isSessionId(sessionId)) return;
    let lastId = `${after}-0`;
    let lastSeq = after;
    const take = function* (entries: readonly StreamEntry[]): Generator<readonly TurnFrame[]> {
      const frames = framesFollowing(lastSeq, entries);
      lastSeq = frames.at(-1)?.seq ?? lastSeq;
      lastId = entries.at(-1)?.id ?? lastId;
      if (frames.length > 0) yield frames;
      const next = entries.find(({ id, kind }) => isFrame(kind) && seqOfEntry(id) > lastSeq);
      if (next !== undefined) throw new FramesForgottenError(seqOfEntry(next.id) - 1);
    };
    while (!signal.aborted) {
      const page = await this.#run(readFrames, sessionId, { afterId: lastId });
      if (page === undefined) return;
      const { entries, leaseLeft } = page;
      yield* take(entries);
      if (entries.length === FRAMES_PER_PAGE) continue;
      if (lastSeq < page.lastSeq) throw new FramesForgottenError(page.lastSeq);
      if (leaseLeft === 0) return;
      for await (const live of this.#follow(sessionId, lastId, leaseLeft, signal)) {
        yield* take(live);
      }
    }
  }

  async list(query: SessionQuery): Promise<SessionPage> {
    await this.#index.write();
    return listSessions(this.#index, query, (id) => this.#run(describeSession, id, {}));
  }

  countTokens(day: string, tokens: number): Promise<number> {
    return this.#dayTokens.count(day, tokens);
  }

  async timeline(sessionId: string): Promise<SessionTimeline | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    await this.#index.write();
    const [found, activeAt] = await Promise.all([
      this.#run(readSession, sessionId, {}),
      this.#index.lastActiveAt(sessionId),
    ]);
    if (found === undefined) return undefined;
    const { expiresAt } = found.described;
    return timelineOf(sessionId, found, activeAt ?? expiresAt - this.#limits.ttl);
  }

  async delete(sessionId: string): Promise<boolean> {
    if (!isSessionId(sessionId)) return false;
    const deleted = await this.#run(deleteSession, sessionId, {});
    if (deleted === undefined) return false;
    this.#touched.delete(sessionId);
    this.#turnEnded.delete(sessionId);
    const { turn, holder } = deleted;
    await Promise.all([
      turn && this.#stop(turn.id, turn.replica),
      this.#accounts.gone(sessionId, holder),
      // A list leaves out what is gone.
      this.#index.remove([sessionId]).catch(() => {}),
    ]);
    return true;
  }

  async fork(
    sessionId: string,
    { newSessionId, client, afterTurn }: NewFork,
  ): Promise<ForkOutcome> {
    if (!isSessionId(newSessionId)) throw new TypeError("not a session id");
    if (!isSessionId(sessionId)) return { status: "unknown-session" };
    const source = await this.#run(readSession, sessionId, {});
    if (source === undefined) return { status: "unknown-session" };
    const plan = planFork(sourceOf(source), afterTurn);
    if (plan.status !== "planned") return plan;
    const { title } = source.described;
    const fork = { client, sourceId: sessionId, title, parts: plan.parts };
    const share = await this.#run(writeFork, newSessionId, fork);
    this.#touchNow(newSessionId);
    this.#accounts.note(newSessionId, share, share.size);
    return { status: "forked" };
  }

  /** A session's keys keep the ttl they have until its next activity. */
  setTtl(ttlMs: number): void {
    this.#limits = { ...this.#limits, ttl: ttlMs };
    this.#touched.setDelay(ttlMs);
  }

  setMaxBytesPerHolder(bytes: number): void {
    this.#maxBytesPerHolder = bytes;
  }

  activeSessions(): number {
    this.#touched.sweep();
    return this.#touched.size;
  }

  async check(): Promise<void> {
    await this.#run(checkStore, "readiness", {});
  }

  async close(): Promise<void> {
    this.#accounts.close();
    this.#touched.close();
    this.#turnEnded.close();
    this.#cancels.close();
    await this.#index.close();
    await this.#reader.close();
    await this.#commands.close();
  }

  /** Gives what comes behind an entry, until the turn has ended, as it seems, or its lease may have. */
  async *#follow(
    sessionId: string,
    afterId: string,
    leaseLeft: number,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEntry[]> {
    const feed = this.#reader.open(framesKeyOf(sessionId), afterId);
    try {
      const until = this.#clock.monotonic() + leaseLeft + LEASE_GRACE_MS;
      for (;;) {
        const timeLeft = until - this.#clock.monotonic();
        const entries = timeLeft > 0 ? await feed.next(timeLeft, signal) : undefined;
        if (entries === undefined || signal.aborted) return;
        yield entries;
        if (entries.at(-1)?.kind === ENTRY_KINDS.end) return;
      }
    } finally {
      feed.close();
    }
  }

  #run<Input, Output>(
    operation: SessionOperation<Input, Output>,
    sessionId: string,
    input: Input,
  ): Promise<Output> {
    const limits = this.#limits;
    return runOperation(this.#commands, operation, keysOfSession(sessionId), { limits, input });
  }

  #writeShares(holder: string, shares: ReadonlyMap<string, NotedShare>): Promise<string[]> {
    return runOperation(this.#commands, accountSessions, keysOfHolder(holder), {
      shares,
      ttlMs: this.#limits.ttl,
      maxBytes: this.#maxBytesPerHolder,
    });
  }

  async #remove(sessionId: string): Promise<boolean> {
    const isGone = await this.#run(removeSession, sessionId, {});
    if (isGone) this.#touched.delete(sessionId);
    return isGone;
  }

  /** Tells the process that runs the turn. It is a short cut: the turn learns of its end from its session too. */
  async #stop(turnId: string, replica: string): Promise<void> {
    if (replica === this.#replica) {
      this.#cancels.tell(turnId);
      return;
    }
    const keys = [signalsKeyOf(replica)];
    await runOperation(this.#commands, signalCancel, keys, { turnId }).catch(() => {});
  }

  /** For what happens many times in a turn: the index is not told of it. */
  #touch(sessionId: string): void {
    track(this.#touched, sessionId);
  }

  #touchNow(sessionId: string): void {
    this.#touch(sessionId);
    this.#index.note(sessionId);
  }

  /** Does one session after another, because many may be due at once. What fails is done by the session's next turn. */
  async #forgetFrames(): Promise<void> {
    for (let at = 0; at < this.#framesToForget.length; at++) {
      const sessionId = this.#framesToForget[at] as string;
      await this.#run(forgetFrames, sessionId, {}).catch(() => {});
    }
    this.#framesToForget.length = 0;
  }
}

function track(queue: ExpiryQueue<string>, sessionId: string): void {
  queue.touch(sessionId);
  if (queue.size <= MAX_TRACKED_SESSIONS) return;
  const oldest = queue.values().next().value;
  if (oldest !== undefined) queue.delete(oldest);
}

function limitsOf(ttlMs: number, agent: string): SessionLimits {
  return { ttl: ttlMs, retention: FRAME_RETENTION_MS, maxKept: MAX_FRAME_BYTES_PER_SESSION, agent };
}
