/**
 * Sessions in Redis, shared by all replicas. Every operation is one script (redis-scripts.ts), and so one round trip
 * whose cost does not depend on the session's length. Needs Redis 6.2 or what speaks like it.
 */
import { randomBytes } from "node:crypto";
import type { StoreAddress } from "../../../agent-config/store-url.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Log } from "../../../observability/log.ts";
import type { TurnFrame } from "../../../protocol/frames.ts";
import { ExpiryQueue } from "../expiry-queue.ts";
import type { HistoryMessage } from "../history-message.ts";
import { RedisCancelSignals, SIGNAL_TTL_MS } from "./cancel-signals.ts";
import { openRedisLink } from "./open-link.ts";
import type { RedisLink } from "./server-link.ts";
import { RedisFrameReader } from "./frame-reader.ts";
import { ENTRY_KINDS, REDIS_SCRIPTS, SESSION_KEY_NAMES, type RedisScript } from "./scripts.ts";
import { parseEntries, seqOfEntry, type StreamEntry } from "./script/stream-entry.ts";
import { isSessionId } from "../session-id.ts";
import {
  CorruptSessionError,
  FRAME_RETENTION_MS,
  FrameGapError,
  FramesForgottenError,
  MAX_FRAME_BYTES_PER_SESSION,
  MAX_FRAME_BYTES_PER_TURN,
  MAX_REMEMBERED_TURNS,
  SessionExistsError,
  TURN_LEASE_MS,
  TurnLostError,
  type BegunTurn,
  type NewTurn,
  type SessionStore,
  type SessionSummary,
  type TakenOver,
  type TurnLease,
} from "../session-store.ts";
import {
  firstSeqOf,
  parseStoredEntry,
  parseStoredFrame,
  parseStoredMessage,
  parseStoredOrigin,
} from "../stored-values.ts";
import { NO_JOURNAL, type JournalPart } from "../turn-journal.ts";

/** Frames read from Redis at once. */
const FRAMES_PER_PAGE = 128;
/** A follower looks at the session this long after the lease that it knew of has ended. */
const LEASE_GRACE_MS = 20;
/** The sessions of which this process remembers when it touched them; it forgets the oldest beyond. */
export const MAX_TRACKED_SESSIONS = 100_000;

export interface RedisSessionStoreOptions {
  address: StoreAddress;
  /** Authorities to trust in place of the system's, PEM. */
  ca?: string;
  ttlMs: number;
  leaseMs?: number;
  clock: Clock;
  log?: Log;
}

export class RedisSessionStore implements SessionStore {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #commands: RedisLink;
  readonly #reader: RedisFrameReader;
  /** Of this process, among all that share the sessions. */
  readonly #owner = randomBytes(12).toString("base64url");
  readonly #cancels: RedisCancelSignals;
  /** What every script is given first. */
  #limits: readonly string[];
  readonly #touched: ExpiryQueue<string>;
  /** Sessions in which this process ended a turn, whose frames it lets go when their time is over. */
  readonly #turnEnded: ExpiryQueue<string>;
  readonly #framesToForget: string[] = [];

  constructor(options: RedisSessionStoreOptions) {
    const { address, ca, clock, ttlMs } = options;
    const connection = { address, clock, ...(ca === undefined ? {} : { ca }) };
    this.#clock = clock;
    this.#leaseMs = options.leaseMs ?? TURN_LEASE_MS;
    this.#commands = openRedisLink({
      ...connection,
      ...(options.log === undefined ? {} : { log: options.log }),
    });
    this.#reader = new RedisFrameReader({
      commands: this.#commands,
      // A node of a cluster lets nobody wait for streams of different slots. Otherwise the one that waits is a connection of
      // its own; it logs nothing: what is the matter with it is the matter with the other one too.
      connect: address.kind === "cluster" ? undefined : () => openRedisLink(connection),
      clock,
    });
    this.#cancels = new RedisCancelSignals({
      reader: this.#reader,
      clock,
      key: signalsKeyOf(this.#owner),
    });
    this.#limits = scriptLimits(ttlMs);
    this.#touched = new ExpiryQueue(clock, ttlMs, () => {});
    this.#turnEnded = new ExpiryQueue(clock, FRAME_RETENTION_MS, (sessionId) => {
      this.#framesToForget.push(sessionId);
      if (this.#framesToForget.length === 1) void this.#forgetFrames();
    });
  }

  async create(sessionId: string, { subject }: { subject?: string }): Promise<void> {
    if (!isSessionId(sessionId)) throw new TypeError("not a session id");
    const args = subject === undefined ? ["0", ""] : ["1", subject];
    const created = await this.#run(REDIS_SCRIPTS.create, sessionId, args);
    if (created !== 1) throw new SessionExistsError("there is a session with this id already");
    this.#touch(sessionId);
  }

  async find(sessionId: string): Promise<SessionSummary | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    const reply = await this.#run(REDIS_SCRIPTS.find, sessionId, []);
    if (reply === null) {
      this.#touched.delete(sessionId);
      return undefined;
    }
    const [lastSeq, subject, turnId, runs] = asArray(reply);
    this.#touch(sessionId);
    return {
      lastSeq: asNumber(lastSeq),
      ...(typeof subject === "string" ? { subject } : {}),
      ...(typeof turnId !== "string"
        ? {}
        : runs === 1
          ? { runningTurnId: turnId }
          : { abandonedTurnId: turnId }),
    };
  }

  async history(sessionId: string): Promise<HistoryMessage[]> {
    if (!isSessionId(sessionId)) return [];
    const messages = asArray(await this.#run(REDIS_SCRIPTS.history, sessionId, []));
    return messages.map((message) => parseStoredMessage(asText(message)));
  }

  async beginTurn(sessionId: string, turn: NewTurn): Promise<BegunTurn> {
    if (!isSessionId(sessionId)) return { status: "unknown-session" };
    const { turnId, messageId, userMessage, origin } = turn;
    const named = messageId === undefined ? {} : { messageId };
    const reply = asArray(
      await this.#run(REDIS_SCRIPTS.beginTurn, sessionId, [
        String(this.#leaseMs),
        turnId,
        messageId ?? "",
        JSON.stringify({ role: "user", turnId, content: userMessage }),
        String(MAX_REMEMBERED_TURNS),
        this.#owner,
        JSON.stringify({ ...origin, ...named }),
      ]),
    );
    const status = asText(reply[0]);
    if (status !== "unknown-session") this.#touch(sessionId);
    switch (status) {
      case "unknown-session":
        return { status };
      case "in-progress":
      case "abandoned":
        return { status, turnId: asText(reply[1]) };
      case "repeated":
        return {
          status,
          turnId: asText(reply[1]),
          seqBefore: asNumber(reply[2]),
          running: reply[3] === 1,
        };
      case "started": {
        const fence = asNumber(reply[1]);
        return { status, lease: { sessionId, turnId, fence, seqBefore: asNumber(reply[2]) } };
      }
      default:
        throw unexpected();
    }
  }

  async withdrawTurn(
    sessionId: string,
    { turnId, messageId }: Pick<NewTurn, "turnId" | "messageId">,
  ): Promise<void> {
    if (!isSessionId(sessionId)) return;
    await this.#run(REDIS_SCRIPTS.withdrawTurn, sessionId, [turnId, messageId ?? ""]);
  }

  async takeOver(sessionId: string, claim: string): Promise<TakenOver> {
    if (!isSessionId(sessionId)) return { status: "none" };
    const args = [String(this.#leaseMs), claim, this.#owner];
    const reply = asArray(await this.#run(REDIS_SCRIPTS.takeOver, sessionId, args));
    const status = asText(reply[0]);
    if (status !== "none") this.#touch(sessionId);
    switch (status) {
      case "none":
        return { status };
      case "running":
        return { status, turnId: asText(reply[1]) };
      case "taken": {
        const [, fence, seqBefore, lastSeq, turnId, cancel, message, journal] = reply;
        const userMessage = parseStoredMessage(asText(message));
        if (userMessage.role !== "user") throw unexpected();
        const [origin, ...entries] = asArray(journal).map(asText);
        const lease = {
          sessionId,
          turnId: asText(turnId),
          fence: asNumber(fence),
          seqBefore: asNumber(seqBefore),
        };
        return {
          status,
          turn: {
            lease,
            lastSeq: asNumber(lastSeq),
            userMessage: userMessage.content,
            ...parseStoredOrigin(origin ?? ""),
            journal: entries.map(parseStoredEntry),
            isCancelled: cancel === 1,
          },
        };
      }
      default:
        throw unexpected();
    }
  }

  async appendFrames(
    lease: TurnLease,
    frames: readonly TurnFrame[],
    journal: JournalPart = NO_JOURNAL,
  ): Promise<void> {
    const { first, entries } = journal;
    const reply = await this.#run(REDIS_SCRIPTS.appendFrames, lease.sessionId, [
      String(this.#leaseMs),
      ...placeOfFrames(lease, frames),
      String(first),
      String(entries.length),
      ...frames.map((frame) => JSON.stringify(frame)),
      ...entries.map((entry) => JSON.stringify(entry)),
    ]);
    this.#assertWritten(lease, reply);
    if (asArray(reply)[1] === 1) this.#cancels.tell(lease.turnId);
  }

  async handOver(lease: TurnLease): Promise<boolean> {
    const args = [String(lease.fence)];
    this.#assertWritten(lease, await this.#run(REDIS_SCRIPTS.handOver, lease.sessionId, args));
    return true;
  }

  async cancelTurn(sessionId: string): Promise<"requested" | "abandoned" | "none"> {
    if (!isSessionId(sessionId)) return "none";
    const reply = asArray(await this.#run(REDIS_SCRIPTS.cancelTurn, sessionId, []));
    const status = asText(reply[0]);
    if (status !== "requested" && status !== "abandoned") return "none";
    this.#touch(sessionId);
    if (status === "abandoned") return status;
    const [turnId, owner] = [asText(reply[1]), asText(reply[2])];
    if (owner === this.#owner) {
      this.#cancels.tell(turnId);
    } else {
      // It is a short cut: the turn learns of its cancel from its session too.
      const keys = [signalsKeyOf(owner)];
      const args = [String(SIGNAL_TTL_MS), turnId];
      await this.#evaluate(REDIS_SCRIPTS.signalCancel, keys, args).catch(() => {});
    }
    return status;
  }

  onCancel(lease: TurnLease, listener: () => void): () => void {
    return this.#cancels.listen(lease.turnId, listener);
  }

  async renewTurn(lease: TurnLease): Promise<void> {
    await this.appendFrames(lease, []);
  }

  async endTurn(
    lease: TurnLease,
    { frames, messages }: { frames: readonly TurnFrame[]; messages: readonly HistoryMessage[] },
  ): Promise<void> {
    const args = placeOfFrames(lease, frames);
    for (const frame of frames) args.push(JSON.stringify(frame));
    for (const message of messages) args.push(JSON.stringify(message));
    const reply = await this.#run(REDIS_SCRIPTS.endTurn, lease.sessionId, args);
    this.#assertWritten(lease, reply);
    track(this.#turnEnded, lease.sessionId);
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
      const page = await this.#readFrames(sessionId, lastId);
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

  /** A session's keys keep the ttl they have until its next activity. */
  setTtl(ttlMs: number): void {
    this.#limits = scriptLimits(ttlMs);
    this.#touched.setDelay(ttlMs);
  }

  activeSessions(): number {
    this.#touched.sweep();
    return this.#touched.size;
  }

  async check(): Promise<void> {
    await this.#run(REDIS_SCRIPTS.check, "readiness", []);
  }

  async close(): Promise<void> {
    this.#touched.close();
    this.#turnEnded.close();
    this.#cancels.close();
    await this.#reader.close();
    await this.#commands.close();
  }

  /** What comes behind an entry, until the turn seems to have ended or the lease may have. */
  async *#follow(
    sessionId: string,
    afterId: string,
    leaseLeft: number,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEntry[]> {
    const feed = this.#reader.open(keysOf(sessionId)[FRAMES_KEY], afterId);
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

  async #readFrames(
    sessionId: string,
    afterId: string,
  ): Promise<{ leaseLeft: number; lastSeq: number; entries: StreamEntry[] } | undefined> {
    const args = [afterId, String(FRAMES_PER_PAGE)];
    const reply = await this.#run(REDIS_SCRIPTS.readFrames, sessionId, args);
    if (reply === null) return undefined;
    const [leaseLeft, lastSeq, entries] = asArray(reply);
    return {
      leaseLeft: asNumber(leaseLeft),
      lastSeq: asNumber(lastSeq),
      entries: parseEntries(entries),
    };
  }

  #run(script: RedisScript, sessionId: string, args: readonly string[]): Promise<unknown> {
    return this.#evaluate(script, keysOf(sessionId), args);
  }

  async #evaluate(
    script: RedisScript,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...this.#limits, ...args];
    try {
      return await this.#commands.execute(["EVALSHA", script.sha1, ...rest], {
        isExpected: isUnknownScript,
      });
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.#commands.execute(["EVAL", script.text, ...rest]);
    }
  }

  #assertWritten(lease: TurnLease, reply: unknown): void {
    const [status, lastSeq, journaled] = asArray(reply);
    if (status === "lost") {
      throw new TurnLostError("the turn's lease has passed on, or its session is gone");
    }
    if (status === "gap") throw new FrameGapError(asNumber(lastSeq), asNumber(journaled));
    if (status !== "ok") throw unexpected();
    this.#touch(lease.sessionId);
  }

  #touch(sessionId: string): void {
    track(this.#touched, sessionId);
  }

  /** One after another, for many may be due at once; what fails is done by the session's next turn. */
  async #forgetFrames(): Promise<void> {
    for (let at = 0; at < this.#framesToForget.length; at++) {
      const sessionId = this.#framesToForget[at] as string;
      await this.#run(REDIS_SCRIPTS.forgetFrames, sessionId, []).catch(() => {});
    }
    this.#framesToForget.length = 0;
  }
}

type SessionKeys = [string, string, string, string, string, string];
const FRAMES_KEY = 2;

/** All in one slot of a cluster, by their hash tag. */
function keysOf(sessionId: string): SessionKeys {
  return SESSION_KEY_NAMES.map((name) => `omnia:{${sessionId}}:${name}`) as SessionKeys;
}

/** Of no session: a process has one, and only while others ask it to cancel turns. */
function signalsKeyOf(owner: string): string {
  return `omnia:{replica-${owner}}:signals`;
}

function track(queue: ExpiryQueue<string>, sessionId: string): void {
  queue.touch(sessionId);
  if (queue.size <= MAX_TRACKED_SESSIONS) return;
  const oldest = queue.values().next().value;
  if (oldest !== undefined) queue.delete(oldest);
}

/** What stands before the frames that a script is given. */
function placeOfFrames(lease: TurnLease, frames: readonly TurnFrame[]): string[] {
  const first = firstSeqOf(frames) ?? 0;
  return [lease.fence, MAX_FRAME_BYTES_PER_TURN, first, frames.length].map(String);
}

/** Up to the first one that is missing. */
function framesFollowing(after: number, entries: readonly StreamEntry[]): TurnFrame[] {
  const frames: TurnFrame[] = [];
  for (const { id, kind, value } of entries) {
    if (!isFrame(kind)) continue;
    const seq = seqOfEntry(id);
    if (seq !== after + frames.length + 1) break;
    frames.push(parseStoredFrame(value, seq));
  }
  return frames;
}

function isFrame(kind: string): boolean {
  return kind === ENTRY_KINDS.frame;
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

function asArray(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw unexpected();
  return reply;
}

function asText(reply: unknown): string {
  if (typeof reply !== "string") throw unexpected();
  return reply;
}

function asNumber(reply: unknown): number {
  // As a text where it was kept as one.
  const number = typeof reply === "number" ? reply : Number(asText(reply));
  if (!Number.isSafeInteger(number)) throw unexpected();
  return number;
}

function unexpected(): CorruptSessionError {
  return new CorruptSessionError("the session store answered what it should not");
}

function scriptLimits(ttlMs: number): string[] {
  return [ttlMs, FRAME_RETENTION_MS, MAX_FRAME_BYTES_PER_SESSION].map(String);
}
