/**
 * One turn from its begin in the store to its last frame. It belongs to its session: it goes on when every client has
 * left. Frames are stored before anybody is sent them; what comes while a write is under way goes into the next write.
 */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { AgentMetrics, RequestStatus } from "../contracts/agent-metrics.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type { ErrorBody, TurnFrame, Usage } from "../../protocol/frames.ts";
import type { EarlierRun, Handler, StepNote, Turn, TurnEvent } from "../contracts/handler.ts";
import {
  MAX_ANSWER_CHARACTERS,
  MAX_TURN_SILENCE_MS,
  MAX_UNSTORED_CHARACTERS,
  STOP_GRACE_MS,
  STORE_RETURN_RETRIES_MS,
  TURN_WRITE_RETRIES_MS,
} from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import {
  FrameGapError,
  StoreUnavailableError,
  TurnLostError,
  type SessionStore,
  type TurnLease,
} from "../sessions/session-store.ts";
import { messagesOfEarlier } from "./read-journal.ts";
import { JournalWriter } from "./journal-writer.ts";
import { RecentWrites, type TurnWrite } from "./recent-writes.ts";
import { NO_JOURNAL } from "../sessions/turn-journal.ts";
import type { SessionFeeds } from "./session-feeds.ts";
import { withStoreRetries } from "./store-retry.ts";
import { timestamp } from "./timestamp.ts";
import {
  endingOfError,
  endingOfResult,
  endingOfStop,
  errorBody,
  requestStatus,
  TurnStopped,
  type StopReason,
  type TurnEnding,
} from "./turn-ending.ts";
import { turnMessages } from "./turn-messages.ts";

export interface TurnContext {
  readonly feeds: SessionFeeds;
  readonly clock: Clock;
  readonly metrics: AgentMetrics;
  readonly log: Log;
}

export interface TurnInput {
  readonly lease: TurnLease;
  readonly store: SessionStore;
  readonly config: AgentConfig;
  readonly content: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** The client's own id of the message. */
  readonly messageId?: string | undefined;
  /** `clock.monotonic()` when the message came. */
  readonly receivedAt: number;
  /** For a turn that was taken over. */
  readonly takenOver?: {
    readonly earlier: EarlierRun;
    readonly lastSeq: number;
    /** Entries that its journal has. */
    readonly journaled: number;
  };
}

type StoredEnding = Exclude<TurnEnding, { type: "lost" }>;

const SETTLED = Promise.resolve();
/** What a tool event counts for among the frames to be written, about the most that a tool's output may be. */
const TOOL_EVENT_CHARACTERS = 64 * 1024;

export class RunningTurn implements Turn {
  readonly id: string;
  readonly sessionId: string;
  readonly content: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly config: AgentConfig;
  readonly earlier: EarlierRun | undefined;

  readonly #context: TurnContext;
  readonly #lease: TurnLease;
  readonly #store: SessionStore;
  readonly #receivedAt: number;
  readonly #messageId: string | undefined;

  #seq: number;
  #publishedSeq: number;
  #answer = "";
  #unrecordedFrom = 0;
  readonly #recorded: HistoryMessage[] = [];

  /** Frames that are to be written to the store next, and their size. */
  #unstored: TurnFrame[] = [];
  #unstoredCharacters = 0;
  readonly #journal: JournalWriter;
  readonly #recent = new RecentWrites();
  #writing: Promise<void> | undefined;
  #gate: Promise<void> | undefined;

  // Made when the handler asks for it: echo never does.
  #controller: AbortController | undefined;
  #stopped: TurnStopped | undefined;
  #onStop: ((stopped: TurnStopped) => void) | undefined;
  #lastSignOfLife: number;
  #renewing = false;
  #ended = false;
  /** The handler was stopped before it came to its end. */
  #wasCut = false;
  #stopping: PromiseWithResolvers<void> | undefined;
  #sentFirstChunk = false;

  constructor(context: TurnContext, input: TurnInput) {
    this.#context = context;
    this.#lease = input.lease;
    this.#store = input.store;
    this.#receivedAt = input.receivedAt;
    this.#messageId = input.messageId;
    this.#lastSignOfLife = input.receivedAt;
    this.id = input.lease.turnId;
    this.sessionId = input.lease.sessionId;
    this.content = input.content;
    this.metadata = input.metadata;
    this.config = input.config;
    const { takenOver } = input;
    this.earlier = takenOver?.earlier;
    this.#seq = takenOver?.lastSeq ?? input.lease.seqBefore;
    this.#publishedSeq = this.#seq;
    this.#journal = new JournalWriter(this.id, takenOver?.journaled ?? 0);
    if (takenOver === undefined) return;
    const { said, unfinished } = takenOver.earlier;
    this.#answer = said;
    this.#unrecordedFrom = said.length - unfinished.length;
    this.#recorded.push(...messagesOfEarlier(takenOver.earlier));
    for (const message of this.#recorded) this.#journal.know(message);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#stopped !== undefined) this.#controller.abort(this.#stopped);
    return this.#controller.signal;
  }

  /** The last `seq` that the followers were given. */
  get publishedSeq(): number {
    return this.#publishedSeq;
  }

  async history(): Promise<HistoryMessage[]> {
    const messages = await withStoreRetries(() => this.#store.history(this.sessionId), {
      clock: this.#context.clock,
      pausesMs: TURN_WRITE_RETRIES_MS,
      isOver: () => this.#stopped !== undefined,
    });
    return messages.filter((message) => message.turnId !== this.id);
  }

  record(message: HistoryMessage, note?: StepNote): void {
    // The outcome of a call that an earlier replica made is there already.
    if (message.role === "tool" && this.#hasOutcome(message.toolCallId)) return;
    this.#recorded.push(message);
    if (message.role === "assistant") this.#unrecordedFrom = this.#answer.length;
    this.#journal.record(message, note);
  }

  async stored(): Promise<void> {
    if (this.#unstored.length > 0 || this.#journal.isPending) this.#startWriting();
    while (this.#writing !== undefined && this.#stopped === undefined) {
      this.#stopping ??= Promise.withResolvers();
      await Promise.race([this.#writing, this.#stopping.promise]);
    }
    if (this.#stopped !== undefined) throw this.#stopped;
  }

  emit(event: TurnEvent): Promise<void> {
    if (this.#stopped !== undefined) return refused(this.#stopped);
    if (this.#ended) return refused(new Error("the turn has ended"));
    this.#lastSignOfLife = this.#context.clock.monotonic();
    if (event.type === "chunk") {
      if (event.content === "") return SETTLED;
      this.#answer += event.content;
    }
    const frame = this.#frameOf(event);
    this.#unstored.push(frame);
    this.#unstoredCharacters += sizeOf(event);
    this.#journal.emit(event);
    this.#startWriting();
    if (this.#answer.length > MAX_ANSWER_CHARACTERS) this.stop("answer-too-long");
    return this.#unstoredCharacters > MAX_UNSTORED_CHARACTERS ||
      this.#context.feeds.whenWritable(this.sessionId) !== undefined
      ? (this.#gate ??= this.#waitForRoom())
      : SETTLED;
  }

  /** Lets the handler come to its end; what was said so far stays said. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = new TurnStopped(reason);
    this.#controller?.abort(this.#stopped);
    this.#onStop?.(this.#stopped);
    this.#stopping?.resolve();
  }

  /** Called every few seconds: keeps the turn's lease, and ends a turn that has fallen silent. */
  async upkeep(): Promise<void> {
    if (this.#context.clock.monotonic() - this.#lastSignOfLife > silenceLimit(this.config)) {
      // A handler that waits for a slow reader is not silent.
      if (this.#gate === undefined) this.stop("silent");
    }
    await this.renew();
  }

  async renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      await this.#store.renewTurn(this.#lease);
    } catch (error) {
      if (error instanceof TurnLostError) this.stop("lease-lost");
      else this.#log("warn", { error }, "The lease of a turn could not be renewed; trying again");
    } finally {
      this.#renewing = false;
    }
  }

  /** Never rejects. `onEnd` is called once nothing more is written, before the last frame goes out. */
  async run(handler: Handler, onEnd: () => void): Promise<void> {
    const stopListening = this.#store.onCancel(this.#lease, () => this.stop("cancelled"));
    const ending = await this.#untilEnd(handler);
    stopListening();
    this.#ended = true;
    this.#wasCut = this.#stopped !== undefined;
    if (this.#writing !== undefined) await this.#writing;
    const status = await this.#settle(ending, onEnd);
    const { metrics, clock } = this.#context;
    metrics.requestsTotal.add(1, { status, handler: this.config.handler });
    metrics.requestDurationSeconds.observe((clock.monotonic() - this.#receivedAt) / 1_000);
  }

  /** Runs the handler; once the turn is stopped, it has a moment to come to its end by itself. */
  #untilEnd(handler: Handler): Promise<TurnEnding> {
    return new Promise((resolve) => {
      let grace: Timer | undefined;
      const end = (ending: TurnEnding, usage?: Usage): void => {
        grace?.cancel();
        resolve(this.#stopped === undefined ? ending : endingOfStop(this.#stopped.reason, usage));
      };
      this.#onStop = ({ reason }) => {
        grace = this.#context.clock.setTimer(STOP_GRACE_MS, () => resolve(endingOfStop(reason)));
      };
      if (this.#stopped !== undefined) this.#onStop(this.#stopped);
      const onError = (error: unknown): void => end(endingOfError(error));
      try {
        handler.run(this).then((result) => end(endingOfResult(result), result.usage), onError);
      } catch (error) {
        onError(error);
      }
    });
  }

  /** Stores the end of the turn and sends it; without the one there is not the other. */
  async #settle(ending: TurnEnding, onEnd: () => void): Promise<RequestStatus> {
    if (ending.type === "error") this.#logFailure(ending);
    const fail = (error: ErrorBody): RequestStatus => {
      onEnd();
      this.#publishFailure(error);
      return "error";
    };
    const move = (): RequestStatus => {
      onEnd();
      this.#context.feeds.turnMoved(this.sessionId);
      return "error";
    };
    if (ending.type === "lost") return move();
    if (this.#stopped?.reason === "shutting-down" && (await this.#handOver())) {
      onEnd();
      return "error";
    }
    const frames = [...this.#unstored, this.#lastFrame(ending)];
    const end = { frames, messages: this.#messages(ending) };
    // A store that was tried for long is not waited for: the clients hear of it now, and the store when it can.
    const isStoreAway = this.#stopped?.reason === "store-unavailable";
    if (isStoreAway) fail(errorBody(new StoreUnavailableError()));
    try {
      await withStoreRetries(() => this.#end(end), {
        clock: this.#context.clock,
        pausesMs: isStoreAway ? STORE_RETURN_RETRIES_MS : TURN_WRITE_RETRIES_MS,
      });
    } catch (error) {
      if (error instanceof TurnLostError) return isStoreAway ? "error" : move();
      this.#log("error", { error }, "The end of a turn could not be stored");
      return isStoreAway ? "error" : fail(errorBody(error));
    }
    if (isStoreAway) return "error";
    onEnd();
    this.#publish(frames);
    return requestStatus(ending);
  }

  /** A replica that shuts down leaves its turn to another one. Its clients hear of that when they have come back. */
  async #handOver(): Promise<boolean> {
    if (this.#unstored.length > 0) return false;
    try {
      return await this.#store.handOver(this.#lease);
    } catch (error) {
      this.#log("warn", { error }, "A turn could not be left to another replica");
      return false;
    }
  }

  #messages(ending: StoredEnding): HistoryMessage[] {
    const recordedAnswer = this.#recorded.at(-1)?.role === "assistant";
    const wholeAnswer = ending.type === "done" && !recordedAnswer ? (ending.content ?? "") : "";
    return turnMessages({
      turnId: this.id,
      isCancelled: this.#stopped?.reason === "cancelled",
      recorded: this.#recorded,
      unrecordedText: this.#answer.slice(this.#unrecordedFrom) || wholeAnswer,
      partial: ending.type === "error" || this.#wasCut,
    });
  }

  #lastFrame(ending: StoredEnding): TurnFrame {
    const stamp = this.#stamp(true);
    if (ending.type === "error") return { type: "error", ...stamp, error: ending.error };
    return {
      type: "done",
      ...stamp,
      content: ending.content ?? this.#answer,
      ...(ending.usage === undefined ? {} : { usage: ending.usage }),
      finish_reason: ending.finishReason,
    };
  }

  #frameOf(event: TurnEvent): TurnFrame {
    switch (event.type) {
      case "chunk":
        return { type: "chunk", ...this.#stamp(), content: event.content };
      case "tool-call": {
        const { id, name } = event;
        return {
          type: "tool_call",
          ...this.#stamp(),
          tool_call: { id, name, arguments: event.arguments },
        };
      }
      case "tool-result": {
        const { id, result, error } = event;
        const tool_result = error === undefined ? { id, result: result ?? null } : { id, error };
        return { type: "tool_result", ...this.#stamp(), tool_result };
      }
    }
  }

  #stamp(isLast = false) {
    const tellsMessage =
      this.#messageId !== undefined && (isLast || this.#seq === this.#lease.seqBefore);
    return {
      session_id: this.sessionId,
      turn_id: this.id,
      seq: ++this.#seq,
      timestamp: timestamp(this.#context.clock.now()),
      ...(tellsMessage ? { message_id: this.#messageId } : undefined),
    };
  }

  #hasOutcome(callId: string): boolean {
    for (const message of this.#recorded.toReversed()) {
      if (message.role === "assistant") return false;
      if (message.role === "tool" && message.toolCallId === callId) return true;
    }
    return false;
  }

  /** What is emitted in one go is written in one step. */
  #startWriting(): void {
    this.#writing ??= SETTLED.then(() => this.#write());
  }

  async #write(): Promise<void> {
    while (this.#unstored.length > 0 || this.#journal.isPending) {
      const frames = this.#unstored;
      const write = { frames, journal: this.#journal.take() };
      this.#unstored = [];
      this.#unstoredCharacters = 0;
      try {
        await withStoreRetries(() => this.#append(write), {
          clock: this.#context.clock,
          pausesMs: TURN_WRITE_RETRIES_MS,
          isOver: () => this.#stopped !== undefined,
        });
      } catch (error) {
        this.#unstored = [...frames, ...this.#unstored];
        if (!(error instanceof TurnLostError))
          this.#log("error", { error }, "Frames of a turn could not be stored");
        this.stop(error instanceof TurnLostError ? "lease-lost" : "store-unavailable");
        break;
      }
      if (frames.length > 0) this.#publish(frames);
    }
    this.#writing = undefined;
  }

  /** Writes again what the store has lost, where that is known. */
  async #append(write: TurnWrite): Promise<void> {
    try {
      await this.#store.appendFrames(this.#lease, write.frames, write.journal);
    } catch (error) {
      const lost = error instanceof FrameGapError ? this.#recent.since(error, write) : undefined;
      if (lost === undefined) throw error;
      this.#log("warn", { error }, "The session store has lost frames of a turn; written again");
      await this.#store.appendFrames(this.#lease, lost.frames, lost.journal);
    }
    this.#recent.add(write, this.#context.clock.monotonic());
  }

  async #end(end: Parameters<SessionStore["endTurn"]>[1]): Promise<void> {
    try {
      await this.#store.endTurn(this.#lease, end);
    } catch (error) {
      if (!(error instanceof FrameGapError)) throw error;
      await this.#append({ frames: end.frames, journal: NO_JOURNAL });
      await this.#store.endTurn(this.#lease, end);
    }
  }

  /** Settles when what was emitted is stored and the followers can take more. */
  async #waitForRoom(): Promise<void> {
    for (;;) {
      if (this.#stopped !== undefined) break;
      const wait =
        this.#unstoredCharacters > MAX_UNSTORED_CHARACTERS
          ? this.#writing
          : this.#context.feeds.whenWritable(this.sessionId);
      if (wait === undefined) break;
      this.#stopping ??= Promise.withResolvers();
      await Promise.race([wait, this.#stopping.promise]);
    }
    this.#lastSignOfLife = this.#context.clock.monotonic();
    this.#gate = undefined;
  }

  #publish(frames: readonly TurnFrame[]): void {
    this.#publishedSeq = frames.at(-1)?.seq ?? this.#publishedSeq;
    this.#context.feeds.publish(this.sessionId, frames);
    if (!this.#sentFirstChunk && frames.some((frame) => frame.type === "chunk")) {
      this.#sentFirstChunk = true;
      const seconds = (this.#context.clock.monotonic() - this.#receivedAt) / 1_000;
      this.#context.metrics.timeToFirstChunkSeconds.observe(seconds);
    }
  }

  /** An error frame outside the turn's numbering: the store holds no last frame of this turn. */
  #publishFailure(error: ErrorBody): void {
    const { feeds, clock } = this.#context;
    const frame = {
      type: "error",
      session_id: this.sessionId,
      timestamp: timestamp(clock.now()),
      error,
    };
    feeds.publishFailure(this.sessionId, JSON.stringify(frame));
  }

  #logFailure(ending: Extract<TurnEnding, { type: "error" }>): void {
    const level = ending.error.code === "INTERNAL_ERROR" ? "error" : "warn";
    this.#log(level, { code: ending.error.code, error: ending.cause }, "A turn ended in an error");
  }

  #log(level: "warn" | "error", fields: object, message: string): void {
    this.#context.log[level]({ sessionId: this.sessionId, turnId: this.id, ...fields }, message);
  }
}

/** Silence may last as long as the slowest tool with its retries, and a while more. */
function silenceLimit(config: AgentConfig): number {
  const toolTimes = config.tools.map((tool) => tool.timeoutMs * (tool.retries + 1));
  return MAX_TURN_SILENCE_MS + Math.max(0, ...toolTimes);
}

/** A handler may let go of an event that nobody takes any more. */
function refused(reason: Error): Promise<never> {
  const refusal = Promise.reject(reason);
  refusal.catch(() => {});
  return refusal;
}

function sizeOf(event: TurnEvent): number {
  return event.type === "chunk" ? event.content.length : TOOL_EVENT_CHARACTERS;
}
