/**
 * Writes a turn to the session store and publishes what is stored. A frame is stored before any client is sent it. Frames
 * that come while a write is under way go into the next write, together with the entries of the journal. So do those that come
 * in one go with others, and, while many turns stream, those that come within the pace. Texts that follow each other in one
 * write are one chunk.
 */
import type { ErrorBody, TurnFrame } from "../../protocol/frames.ts";
import { atEndOfTick } from "../../time/end-of-tick.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import type { StepNote, TurnEvent } from "../contracts/handler.ts";
import { MAX_UNSTORED_CHARACTERS, TURN_WRITE_RETRIES_MS } from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import type { TurnRecord } from "../sessions/turn-record.ts";
import {
  FrameGapError,
  TurnLostError,
  type SessionStore,
  type TurnEnd,
  type TurnLease,
} from "../sessions/session-store.ts";
import { NO_JOURNAL } from "../sessions/turn-journal.ts";
import { FrameBuilder } from "./frame-builder.ts";
import { JournalWriter } from "./journal-writer.ts";
import { RecentWrites, type TurnWrite } from "./recent-writes.ts";
import type { StopSignal } from "./stop-signal.ts";
import { retryStore } from "./store-retry.ts";
import type { TurnContext } from "./turn-context.ts";
import { reasonOfLoss, type StoredEnding } from "./turn-ending.ts";

export interface TurnWriterOptions {
  readonly lease: TurnLease;
  readonly store: SessionStore;
  /** The writer stops the turn when it cannot write any more. It gives up its own waits when something else stops the turn. */
  readonly stop: StopSignal;
  /** The client's own id of the message. */
  readonly messageId: string | undefined;
  /** The version of the pack that the turn runs with, by which its first chunk is counted. */
  readonly packVersion?: string | undefined;
  /** `clock.monotonic()` when the message came. */
  readonly receivedAt: number;
  /** The number of the last frame that the store has. */
  readonly lastSeq: number;
  /** The number of entries that the turn's journal has in the store. */
  readonly journaled: number;
  /** The messages of these entries. */
  readonly known: readonly HistoryMessage[];
  /** Whether the answer has begun. */
  readonly hasSpoken?: boolean | undefined;
}

/** What a write calls, made once for all writes of a turn. */
interface WriteCallbacks {
  readonly write: () => void;
  readonly onPace: () => void;
  readonly onWritten: () => void;
  readonly onNotWritten: (error: unknown) => Promise<void>;
}

const SETTLED = Promise.resolve();
const NO_WRITE: TurnWrite = { frames: [], journal: NO_JOURNAL };
/** A tool event counts as this many characters of the unstored frames: about the largest output that a tool may have. */
const TOOL_EVENT_CHARACTERS = 64 * 1024;

export class TurnWriter {
  readonly #context: TurnContext;
  readonly #lease: TurnLease;
  readonly #store: SessionStore;
  readonly #stop: StopSignal;
  readonly #version: string;
  readonly #receivedAt: number;
  readonly #frames: FrameBuilder;
  readonly #journal: JournalWriter;
  /** Only of a store that may lose writes. */
  #recent: RecentWrites | undefined;

  /** The frames for the next write, the text that follows them, and the size of both. */
  #unstored: TurnFrame[] = [];
  #unstoredText = "";
  #unstoredCharacters = 0;
  #isWriting = false;
  /** The text waits to be written together with that of other turns. */
  #isWaiting = false;
  /** Somebody waits until all is stored. */
  #isUrgent = false;
  #isStreaming = false;
  #lastWriteAt = 0;
  #underWay = NO_WRITE;
  /** Settles with the end of the writing, if somebody waits for it. */
  #written: PromiseWithResolvers<void> | undefined;
  #room: Promise<void> | undefined;
  /** Made with the first write: the turns that write nothing but their end do without. */
  #madeCallbacks: WriteCallbacks | undefined;
  #lastActivity: number;
  #publishedSeq: number;
  #hasWritten = false;
  #firstChunkMs: number | undefined;
  #firstChunkAt: number | undefined;

  constructor(context: TurnContext, options: TurnWriterOptions) {
    const { lease, messageId, lastSeq } = options;
    this.#context = context;
    this.#lease = lease;
    this.#store = options.store;
    this.#stop = options.stop;
    this.#version = options.packVersion ?? "";
    this.#receivedAt = options.receivedAt;
    this.#lastActivity = options.receivedAt;
    this.#publishedSeq = lastSeq;
    this.#frames = new FrameBuilder({ lease, messageId, lastSeq, clock: context.clock });
    this.#journal = new JournalWriter({
      turnId: lease.turnId,
      count: options.journaled,
      hasSpoken: options.hasSpoken === true,
      clock: context.clock,
    });
    for (const message of options.known) this.#journal.know(message);
  }

  /** The `seq` of the last frame that was published to the followers. */
  get publishedSeq(): number {
    return this.#publishedSeq;
  }

  /** Milliseconds from the message to the first chunk that was published. */
  get firstChunkMs(): number | undefined {
    return this.#firstChunkMs;
  }

  /** When the first chunk was published, in milliseconds since 1970. */
  get firstChunkAt(): number | undefined {
    return this.#firstChunkAt;
  }

  /** Whether frames wait to be stored, or could not be stored. */
  get hasUnstoredFrames(): boolean {
    return this.#unstored.length > 0 || this.#unstoredText !== "";
  }

  /** Settles when the write that is under way is done; undefined when there is none. */
  get writing(): Promise<void> | undefined {
    return this.#isWriting ? (this.#written ??= Promise.withResolvers()).promise : undefined;
  }

  /** No event will come any more. Settles when what was emitted is stored or could not be; undefined when that is so already. */
  finish(): Promise<void> | undefined {
    if (this.#isStreaming) this.#context.pace.leave();
    this.#isStreaming = false;
    return this.#isWaiting || this.#isWriting ? this.#writeAll() : undefined;
  }

  /**
   * The time on the monotonic clock since which the handler has emitted nothing. Undefined while the handler waits for room,
   * since then it may not emit.
   */
  get silentSince(): number | undefined {
    return this.#room === undefined ? this.#lastActivity : undefined;
  }

  /**
   * Takes an event, which is written together with those that are emitted in the same moment. Settles when the next one may
   * be emitted: when the unstored frames are within their limit and every follower can take more.
   */
  emit(event: TurnEvent): Promise<void> {
    this.#lastActivity = this.#context.clock.monotonic();
    if (event.type === "chunk") {
      if (event.content === "") return SETTLED;
      this.#unstoredText += event.content;
      this.#unstoredCharacters += event.content.length;
      this.#beginStream();
    } else {
      this.#closeChunk();
      this.#unstored.push(this.#frames.ofToolEvent(event));
      this.#unstoredCharacters += TOOL_EVENT_CHARACTERS;
    }
    this.#journal.emit(event);
    this.#startWriting();
    return this.#whatIsFull() === undefined ? SETTLED : (this.#room ??= this.#waitForRoom());
  }

  /** Adds a message to the journal. It is written with the next event, or when `stored` is called. */
  record(message: HistoryMessage, note: StepNote | undefined): void {
    this.#journal.record(message, note);
  }

  /** Settles when all that was emitted and recorded is stored. Rejects with TurnStopped when the turn has to stop before. */
  async stored(): Promise<void> {
    let writing = this.#writeAll();
    while (writing !== undefined && this.#stop.stopped === undefined) {
      await untilAborted(writing, this.#stop.signal);
      writing = this.#writeAll();
    }
    if (this.#stop.stopped !== undefined) throw this.#stop.stopped;
  }

  /**
   * Stores the last frame with those that are unstored, and the turn's messages. Answers the frames, which the caller has to
   * publish. Tries again after each of the pauses, and rejects with what the store rejects with in the end.
   */
  end(
    ending: StoredEnding,
    options: {
      /** The text that was emitted in chunks. */
      answer: string;
      /** The state of the workflow that the session is in. */
      state?: string | undefined;
      messages: readonly HistoryMessage[];
      record?: TurnRecord | undefined;
      pausesMs: readonly number[];
      /** How long the session outlasts the turn unless something happens in it. */
      sessionTtlMs: number;
    },
  ): Promise<readonly TurnFrame[]> {
    const { answer, state, messages, record, pausesMs, sessionTtlMs } = options;
    this.#closeChunk();
    const frames = this.#unstored.slice();
    if (ending.type === "done" && ending.approvals !== undefined) {
      const expiresAt = this.#context.clock.now() + sessionTtlMs;
      // Requests and end are one write, so that nobody answers a call of a turn that has not ended.
      for (const approval of ending.approvals) {
        frames.push(this.#frames.ofApproval(approval, expiresAt));
      }
    }
    const last = this.#frames.ofEnding(ending, answer, state);
    // An array that grows takes room for 17, and most are kept.
    const all = frames.length === 0 ? [last] : [...frames, last];
    return this.#storeEnd({ frames: all, messages, record }, pausesMs);
  }

  // What waits for the store is a function of its own, with few variables: all of them are kept in an object while it waits.
  async #storeEnd(end: TurnEnd, pausesMs: readonly number[]): Promise<readonly TurnFrame[]> {
    try {
      await this.#store.endTurn(this.#lease, end);
    } catch (error) {
      await this.#endAgain(error, end, pausesMs);
    }
    return end.frames;
  }

  publish(frames: readonly TurnFrame[]): void {
    this.#publishedSeq = frames.at(-1)?.seq ?? this.#publishedSeq;
    this.#context.feeds.publish(this.#lease.sessionId, frames);
    if (this.#firstChunkMs === undefined && frames.some((frame) => frame.type === "chunk")) {
      this.#firstChunkMs = this.#context.clock.monotonic() - this.#receivedAt;
      this.#firstChunkAt = this.#context.clock.now();
      this.#context.metrics.timeToFirstChunkSeconds.observe(this.#firstChunkMs / 1_000, {
        version: this.#version,
      });
    }
  }

  /** Tells the followers that the turn failed; the store holds no last frame of it. */
  publishFailure(error: ErrorBody): void {
    this.#context.feeds.publishFailure(this.#lease.sessionId, this.#frames.ofFailure(error));
  }

  get #isPending(): boolean {
    return this.hasUnstoredFrames || this.#journal.isPending;
  }

  /** The text that was emitted becomes a frame. Text that follows is not added to it any more. */
  #closeChunk(): void {
    if (this.#unstoredText === "") return;
    this.#unstored.push(this.#frames.ofChunk(this.#unstoredText));
    this.#unstoredText = "";
  }

  get #callbacks(): WriteCallbacks {
    return (this.#madeCallbacks ??= {
      write: () => this.#write(),
      onPace: () => this.#onPace(),
      onWritten: () => this.#onWritten(),
      onNotWritten: (error) => this.#onNotWritten(error),
    });
  }

  #beginStream(): void {
    if (this.#isStreaming) return;
    this.#isStreaming = true;
    this.#context.pace.enter();
  }

  /** Begins to write all that is pending, whatever the pace. Answers as `writing` does. */
  #writeAll(): Promise<void> | undefined {
    if (this.#isPending) {
      this.#isUrgent = true;
      this.#startWriting();
    }
    return this.writing;
  }

  /**
   * A write begins when all that comes in one go has come; the first one, which the client waits for, in the next microtask. Text
   * that follows keeps to the pace.
   */
  #startWriting(): void {
    if (this.#isWriting || (this.#isWaiting && !this.#isDue)) return;
    if (this.#isWaiting) this.#context.pace.cancel(this.#callbacks.onPace);
    this.#isWaiting = !this.#isDue;
    this.#isWriting = this.#isDue;
    if (this.#isWaiting) this.#context.pace.wait(this.#callbacks.onPace);
    else if (this.#hasWritten) atEndOfTick(this.#callbacks.write);
    else void SETTLED.then(this.#callbacks.write);
  }

  /** Whether what is pending may not wait for the pace, or need not. */
  get #isDue(): boolean {
    if (this.#isUrgent || !this.#hasWritten || this.#unstored.length > 0) return true;
    if (this.#unstoredCharacters > MAX_UNSTORED_CHARACTERS) return true;
    const { intervalMs } = this.#context.pace;
    return intervalMs === 0 || this.#lastActivity - this.#lastWriteAt >= intervalMs;
  }

  #onPace(): void {
    this.#isWaiting = false;
    this.#isWriting = true;
    this.#write();
  }

  // There are many writes, and a promise more for each would count.
  #write(): void {
    this.#hasWritten = true;
    this.#isUrgent = false;
    if (!this.#isPending) return this.#endWriting();
    this.#lastWriteAt = this.#context.clock.monotonic();
    this.#closeChunk();
    const write = { frames: this.#unstored, journal: this.#journal.take() };
    this.#unstored = [];
    this.#unstoredCharacters = 0;
    this.#underWay = write;
    void this.#store
      .appendFrames(this.#lease, write.frames, write.journal)
      .then(this.#callbacks.onWritten, this.#callbacks.onNotWritten);
  }

  #onWritten(): void {
    const write = this.#underWay;
    this.#remember(write);
    this.#goOn(write);
  }

  async #onNotWritten(error: unknown): Promise<void> {
    const write = this.#underWay;
    if (await this.#wroteAgain(error, write)) this.#goOn(write);
    else this.#endWriting();
  }

  #goOn({ frames }: TurnWrite): void {
    if (frames.length > 0) this.publish(frames);
    if (this.#isPending && this.#isDue) {
      atEndOfTick(this.#callbacks.write);
      return;
    }
    this.#endWriting();
    if (this.#isPending) this.#startWriting();
  }

  #endWriting(): void {
    this.#isWriting = false;
    this.#underWay = NO_WRITE;
    this.#written?.resolve();
    this.#written = undefined;
  }

  #remember(write: TurnWrite): void {
    if (!this.#store.mayLoseWrites) return;
    (this.#recent ??= new RecentWrites()).add(write, this.#context.clock.monotonic());
  }

  /** The store has rejected the write with `first`. Answers whether it was done in the end; otherwise the turn has to stop. */
  async #wroteAgain(first: unknown, write: TurnWrite): Promise<boolean> {
    try {
      const options = {
        clock: this.#context.clock,
        pausesMs: TURN_WRITE_RETRIES_MS,
        isOver: () => this.#stop.stopped !== undefined,
      };
      await this.#appendAfter(first, write).catch((last: unknown) =>
        retryStore(last, () => this.#append(write), options),
      );
      return true;
    } catch (error) {
      // The end of the turn will try to store them once more.
      this.#unstored = [...write.frames, ...this.#unstored];
      if (!(error instanceof TurnLostError))
        this.#log("error", error, "Frames of a turn could not be stored");
      this.#stop.stop(error instanceof TurnLostError ? reasonOfLoss(error) : "store-unavailable");
      return false;
    }
  }

  /** Appends what is new, and what the store has lost. */
  async #append(write: TurnWrite): Promise<void> {
    try {
      await this.#store.appendFrames(this.#lease, write.frames, write.journal);
      this.#remember(write);
    } catch (error) {
      await this.#appendAfter(error, write);
    }
  }

  #recentSince(gap: FrameGapError, write: TurnWrite): TurnWrite | undefined {
    return (this.#recent ?? new RecentWrites()).since(gap, write);
  }

  /** Writes again what the store has lost, if all of it is still kept here. Rejects with the error when it says something else. */
  async #appendAfter(error: unknown, write: TurnWrite): Promise<void> {
    const lost = error instanceof FrameGapError ? this.#recentSince(error, write) : undefined;
    if (lost === undefined) throw error;
    this.#log("warn", error, "The session store has lost frames of a turn; written again");
    await this.#store.appendFrames(this.#lease, lost.frames, lost.journal);
    this.#remember(write);
  }

  /** The store has rejected the end with `first`. */
  #endAgain(first: unknown, end: TurnEnd, pausesMs: readonly number[]): Promise<void> {
    const { clock } = this.#context;
    return this.#endAfter(first, end).catch((last: unknown) =>
      retryStore(last, () => this.#end(end), { clock, pausesMs }),
    );
  }

  async #end(end: TurnEnd): Promise<void> {
    try {
      await this.#store.endTurn(this.#lease, end);
    } catch (error) {
      await this.#endAfter(error, end);
    }
  }

  async #endAfter(error: unknown, end: TurnEnd): Promise<void> {
    if (!(error instanceof FrameGapError)) throw error;
    await this.#append({ frames: end.frames, journal: NO_JOURNAL });
    await this.#store.endTurn(this.#lease, end);
  }

  /** What has to be waited for before more may be emitted. */
  #whatIsFull(): Promise<void> | undefined {
    return this.#unstoredCharacters > MAX_UNSTORED_CHARACTERS
      ? this.writing
      : this.#context.feeds.whenWritable(this.#lease.sessionId);
  }

  async #waitForRoom(): Promise<void> {
    while (this.#stop.stopped === undefined) {
      const full = this.#whatIsFull();
      if (full === undefined) break;
      // This rejects when the turn has to stop, which ends the loop.
      await untilAborted(full, this.#stop.signal).catch(() => {});
    }
    this.#lastActivity = this.#context.clock.monotonic();
    this.#room = undefined;
  }

  #log(level: "warn" | "error", error: unknown, message: string): void {
    const { sessionId, turnId } = this.#lease;
    this.#context.log[level]({ sessionId, turnId, error }, message);
  }
}
