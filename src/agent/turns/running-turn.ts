/**
 * One turn, from its begin in the store to its last frame. A turn belongs to its session and not to a connection: it goes on
 * when every client has left.
 */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { ErrorBody, FinishReason, TurnFrame, Usage } from "../../protocol/frames.ts";
import { withSpan } from "../../observability/tracing/active-span.ts";
import type { TraceParent } from "../../observability/tracing/trace-parent.ts";
import type { Span } from "../../observability/tracing/tracer.ts";
import type { Timer } from "../../time/clock.ts";
import type { EarlierRun, Handler, StepNote, Turn, TurnEvent } from "../contracts/handler.ts";
import {
  MAX_TURN_SILENCE_MS,
  STOP_GRACE_MS,
  STORE_RETURN_RETRIES_MS,
  TURN_WRITE_RETRIES_MS,
} from "../contracts/limits.ts";
import { packVersionOf, promptOfSession } from "../runtime/session-prompt.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import {
  SessionGoneError,
  StoreUnavailableError,
  TurnLostError,
  type SessionStore,
  type TurnLease,
} from "../sessions/session-store.ts";
import type { TokenBudget } from "../contracts/token-budget.ts";
import type { DayBudget } from "./day-budget.ts";
import { StopSignal } from "./stop-signal.ts";
import { withStoreRetries } from "./store-retry.ts";
import { Transcript } from "./transcript.ts";
import type { TurnContext } from "./turn-context.ts";
import {
  endingOfError,
  endingOfResult,
  endingOfStop,
  errorBody,
  reasonOfLoss,
  MOVED,
  outcomeOf,
  outcomeOfFailure,
  SESSION_DELETED,
  type StopReason,
  type StoredEnding,
  type TurnEnding,
  type TurnOutcome,
} from "./turn-ending.ts";
import { TurnRecorder, type BegunRecord } from "./turn-recorder.ts";
import { beginTurnSpan, endTurnSpan } from "./turn-span.ts";
import { TurnWriter } from "./turn-writer.ts";

export interface TurnInput {
  readonly lease: TurnLease;
  readonly store: SessionStore;
  readonly config: AgentConfig;
  readonly content: string;
  readonly callerSubject?: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** The client's own id of the message. */
  readonly messageId?: string | undefined;
  /** The version of the prompt pack that the session has. */
  readonly promptVersion: string | undefined;
  /** The place in a trace that the client named when it connected. */
  readonly traceParent?: TraceParent | undefined;
  /** `clock.monotonic()` when the message came. */
  readonly receivedAt: number;
  /** What its record has from the beginning. */
  readonly record: BegunRecord;
  readonly budget: TokenBudget;
  /** Is told what the turn has used, where the agent has a budget for the day. */
  readonly dayBudget?: DayBudget | undefined;
  /** Only for a turn that was begun before. */
  readonly takenOver?: {
    readonly earlier: EarlierRun;
    readonly lastSeq: number;
    /** The number of entries that its journal has. */
    readonly journaled: number;
    /** The turn that the user's message began, where this one goes on for it after an approval. */
    readonly firstTurnId?: string | undefined;
  };
}

/** Such an answer is not whole. */
const NOT_JUDGED: ReadonlySet<FinishReason> = new Set(["cancelled", "awaiting_approval"]);

export class RunningTurn implements Turn {
  readonly id: string;
  readonly sessionId: string;
  readonly content: string;
  readonly callerSubject: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly config: AgentConfig;
  readonly budget: TokenBudget;
  readonly promptVersion: string | undefined;
  readonly earlier: EarlierRun | undefined;

  readonly #context: TurnContext;
  readonly #lease: TurnLease;
  readonly #store: SessionStore;
  readonly #dayBudget: DayBudget | undefined;
  readonly #receivedAt: number;
  readonly #firstTurnId: string;
  readonly #packVersion: string | undefined;
  readonly #span: Span | undefined;
  readonly #stop = new StopSignal();
  readonly #transcript: Transcript;
  readonly #writer: TurnWriter;
  readonly #recorder: TurnRecorder;

  /** The state of the workflow that the session is in. */
  #state: string | undefined;
  #isRenewing = false;
  #hasEnded = false;
  #isEnding = false;
  #isOver = false;
  #over: PromiseWithResolvers<void> | undefined;

  constructor(context: TurnContext, input: TurnInput) {
    const { lease, store, receivedAt, takenOver } = input;
    this.#context = context;
    this.#lease = lease;
    this.#store = store;
    this.#receivedAt = receivedAt;
    this.id = lease.turnId;
    this.sessionId = lease.sessionId;
    this.content = input.content;
    this.callerSubject = input.callerSubject;
    this.metadata = input.metadata;
    this.config = input.config;
    this.budget = input.budget;
    this.#dayBudget = input.dayBudget;
    this.promptVersion = input.promptVersion;
    this.earlier = takenOver?.earlier;
    this.#firstTurnId = takenOver?.firstTurnId ?? this.id;
    this.#packVersion = packVersionOf(this.config, this);
    const tracer = context.tracer?.();
    this.#span =
      tracer &&
      beginTurnSpan(tracer, {
        ...input,
        id: this.id,
        sessionId: this.sessionId,
        packVersion: this.#packVersion,
        traceParent: input.traceParent,
        startedAt: takenOver === undefined ? input.record.startedAt : context.clock.now(),
      });
    this.#transcript = new Transcript(this.id, takenOver?.earlier, this.#firstTurnId);
    this.#recorder = new TurnRecorder(context.clock, input.record);
    this.#writer = new TurnWriter(context, {
      lease,
      store,
      stop: this.#stop,
      messageId: input.messageId,
      packVersion: this.#packVersion,
      receivedAt,
      lastSeq: takenOver?.lastSeq ?? lease.seqBefore,
      journaled: takenOver?.journaled ?? 0,
      known: this.#transcript.recorded,
      hasSpoken: this.#transcript.answer !== "",
    });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The `seq` of the last frame that was published to the followers. */
  get publishedSeq(): number {
    return this.#writer.publishedSeq;
  }

  /** Whether the store was told of the end, or is being told. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Settles when the clients were sent the last frame, or whatever else they are told at the end. */
  whenOver(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return (this.#over ??= Promise.withResolvers()).promise;
  }

  async history(): Promise<HistoryMessage[]> {
    const messages = await withStoreRetries(() => this.#store.history(this.sessionId), {
      clock: this.#context.clock,
      pausesMs: TURN_WRITE_RETRIES_MS,
      isOver: () => this.#stop.stopped !== undefined,
    });
    return messages.filter((message) => message.turnId !== this.#firstTurnId);
  }

  record(message: HistoryMessage, note?: StepNote): void {
    if (!this.#transcript.record(message)) return;
    this.#writer.record(message, note);
    if (note?.usage !== undefined) this.#recorder.spent(note.usage);
  }

  enterState(state: string): void {
    this.#state = state;
  }

  stored(): Promise<void> {
    return this.#writer.stored();
  }

  emit(event: TurnEvent): Promise<void> {
    if (this.#stop.stopped !== undefined) return refused(this.#stop.stopped);
    if (this.#hasEnded) return refused(new Error("the turn has ended"));
    if (event.type === "chunk") this.#transcript.say(event.content);
    else this.#recorder.call(event);
    const room = this.#writer.emit(event);
    if (this.#transcript.isTooLong) this.stop("answer-too-long");
    return room;
  }

  /** Asks the handler to end. What was said so far stays in the answer. Only the first reason counts. */
  stop(reason: StopReason): void {
    this.#stop.stop(reason);
  }

  /** To be called every few seconds: keeps the turn's lease, and stops a turn whose handler is silent for too long. */
  async upkeep(): Promise<void> {
    const { silentSince } = this.#writer;
    if (silentSince !== undefined) {
      const silence = this.#context.clock.monotonic() - silentSince;
      if (silence > silenceLimit(this.config)) this.stop("silent");
    }
    await this.renew();
  }

  async renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      await this.#store.renewTurn(this.#lease);
    } catch (error) {
      if (error instanceof TurnLostError) this.stop(reasonOfLoss(error));
      else this.#log("warn", { error }, "The lease of a turn could not be renewed; trying again");
    } finally {
      this.#isRenewing = false;
    }
  }

  /**
   * Never rejects. `onEnd` is called when nothing more will be written, before the last frame goes out; `isStored` says whether the
   * store knows that the turn has ended.
   */
  async run(handler: Handler, onEnd: (isStored: boolean) => void): Promise<void> {
    const stopListening = this.#store.onCancel(this.#lease, () => this.stop("cancelled"));
    const ending = await this.#untilEnd(handler);
    stopListening();
    this.#hasEnded = true;
    const wasCut = this.#stop.stopped !== undefined;
    const writing = this.#writer.finish();
    if (writing !== undefined) await writing;
    let outcome: TurnOutcome;
    try {
      outcome = await this.#settle(ending, wasCut, onEnd);
    } finally {
      this.#isOver = true;
      this.#over?.resolve();
    }
    this.#account(ending, outcome);
  }

  /** Counts the turn unless another replica will, and writes its line. Nothing that was said in it stands there. */
  #account(ending: TurnEnding, outcome: TurnOutcome): void {
    const { status, finishReason, code } = outcome;
    const { metrics, clock, log } = this.#context;
    const { handler } = this.config;
    const durationMs = clock.monotonic() - this.#receivedAt;
    if (status !== "moved") {
      metrics.requestsTotal.add(1, { status, handler, version: this.#packVersion ?? "" });
      metrics.requestDurationSeconds.observe(durationMs / 1_000);
    }
    const usage = (ending.type === "done" ? ending.usage : undefined) ?? this.#recorder.usage;
    if (this.#span !== undefined) {
      const content = ending.type === "done" ? ending.content : undefined;
      const answer = this.#transcript.answer || (content ?? "");
      endTurnSpan(this.#span, outcome, { usage, answer });
    }
    log.record(
      {
        sessionId: this.sessionId,
        turnId: this.id,
        handler,
        outcome: status,
        finishReason,
        code,
        durationMs: Math.round(durationMs),
        firstChunkMs: rounded(this.#writer.firstChunkMs),
        inputTokens: usage?.input_tokens,
        outputTokens: usage?.output_tokens,
        toolCalls: this.#recorder.callCount,
        packVersion: this.#packVersion,
        traceId: this.#span?.place.traceId,
      },
      "A turn has ended",
    );
  }

  /** Runs the handler. When the turn is stopped, the handler has a moment to come to its end by itself. */
  #untilEnd(handler: Handler): Promise<TurnEnding> {
    return new Promise((resolve) => {
      let grace: Timer | undefined;
      const end = (ending: TurnEnding, usage?: Usage): void => {
        grace?.cancel();
        const { stopped } = this.#stop;
        resolve(stopped === undefined ? ending : endingOfStop(stopped.reason, usage));
      };
      this.#stop.onStop(({ reason }) => {
        grace = this.#context.clock.setTimer(STOP_GRACE_MS, () => resolve(endingOfStop(reason)));
      });
      const onError = (error: unknown): void => end(endingOfError(error));
      try {
        withSpan(this.#span, () => handler.run(this)).then(
          (result) => end(endingOfResult(result), result.usage),
          onError,
        );
      } catch (error) {
        onError(error);
      }
    });
  }

  /** Stores the end of the turn and then publishes it: a last frame that is not stored is not published. */
  async #settle(
    ending: TurnEnding,
    wasCut: boolean,
    onEnd: (isStored: boolean) => void,
  ): Promise<TurnOutcome> {
    if (ending.type === "error") this.#logFailure(ending);
    if (ending.type === "lost") {
      return ending.error === undefined ? this.#move(onEnd) : this.#fail(ending.error, onEnd);
    }
    const stopReason = this.#stop.stopped?.reason;
    if (stopReason === "shutting-down" && (await this.#handOver())) {
      onEnd(false);
      return MOVED;
    }
    // The store was tried for long. The clients are told of the failure now, and the store as soon as it answers.
    const isStoreAway = stopReason === "store-unavailable";
    if (isStoreAway) this.#fail(errorBody(new StoreUnavailableError()), onEnd);
    let frames: readonly TurnFrame[];
    const messages = this.#transcript.messages(ending, {
      isCancelled: stopReason === "cancelled",
      wasCut,
    });
    this.#isEnding = true;
    try {
      frames = await this.#storeEnd(ending, messages, isStoreAway);
    } catch (error) {
      if (error instanceof TurnLostError && isStoreAway) return outcomeOf(ending);
      if (error instanceof SessionGoneError) return this.#fail(SESSION_DELETED, onEnd);
      if (error instanceof TurnLostError) return this.#move(onEnd);
      this.#log("error", { error }, "The end of a turn could not be stored");
      return isStoreAway ? outcomeOf(ending) : this.#fail(errorBody(error), onEnd);
    }
    // Before the clients are told, so that no message that follows comes before it.
    this.#dayBudget?.count(this.#store, this.budget.used);
    if (isStoreAway) return outcomeOf(ending);
    onEnd(true);
    this.#publishEnd(ending, frames, messages);
    return outcomeOf(ending);
  }

  #storeEnd(
    ending: StoredEnding,
    messages: readonly HistoryMessage[],
    isStoreAway: boolean,
  ): Promise<readonly TurnFrame[]> {
    const state = this.#state;
    const { firstChunkAt } = this.#writer;
    return this.#writer.end(ending, {
      answer: this.#transcript.answer,
      state,
      messages,
      record: this.#recorder.record(ending, { firstChunkAt, state }),
      pausesMs: isStoreAway ? STORE_RETURN_RETRIES_MS : TURN_WRITE_RETRIES_MS,
      sessionTtlMs: this.config.session.ttlMs,
    });
  }

  #publishEnd(
    ending: StoredEnding,
    frames: readonly TurnFrame[],
    messages: readonly HistoryMessage[],
  ): void {
    const asked = ending.type === "done" ? (ending.approvals?.length ?? 0) : 0;
    if (asked > 0) this.#context.metrics.approvalsTotal.add(asked, { state: "asked" });
    this.#writer.publish(frames);
    this.#context.canary?.count({
      config: this.config,
      sessionId: this.sessionId,
      promptVersion: this.promptVersion,
      isFirst: this.#lease.seqBefore === 0,
      ending,
      firstChunkMs: this.#writer.firstChunkMs,
    });
    if (ending.type === "done") this.#judge(ending, messages);
  }

  /** Tells the clients that the turn failed, without the store. */
  #fail(error: ErrorBody, onEnd: (isStored: boolean) => void): TurnOutcome {
    onEnd(false);
    this.#writer.publishFailure(error);
    return outcomeOfFailure(error);
  }

  /** The clients get the frames of the turn from the replica that has it now. */
  #move(onEnd: (isStored: boolean) => void): TurnOutcome {
    onEnd(false);
    this.#context.feeds.turnMoved(this.sessionId);
    return MOVED;
  }

  /** Has the evals of its pack run on a turn whose answer is whole. */
  #judge(ending: Extract<TurnEnding, { type: "done" }>, messages: readonly HistoryMessage[]): void {
    const { evals, clock } = this.#context;
    const { prompt, handler } = this.config;
    if (evals === undefined || prompt === undefined || handler !== "runtime") return;
    const { finishReason, usage, content = "" } = ending;
    if (NOT_JUDGED.has(finishReason)) return;
    evals.judge({
      turnId: this.id,
      prompt: promptOfSession(prompt, this),
      userMessage: this.content,
      answer: this.#transcript.answer || content,
      messages,
      finishReason,
      usage,
      durationMs: clock.monotonic() - this.#receivedAt,
    });
  }

  /** Leaves the turn of a replica that shuts down to another one. The clients get its frames there when they have connected. */
  async #handOver(): Promise<boolean> {
    if (this.#writer.hasUnstoredFrames) return false;
    try {
      return await this.#store.handOver(this.#lease);
    } catch (error) {
      this.#log("warn", { error }, "A turn could not be left to another replica");
      return false;
    }
  }

  #logFailure(ending: Extract<TurnEnding, { type: "error" }>): void {
    const level = ending.error.code === "INTERNAL_ERROR" ? "error" : "warn";
    this.#log(level, { code: ending.error.code, error: ending.cause }, "A turn ended in an error");
  }

  #log(level: "warn" | "error", fields: object, message: string): void {
    this.#context.log[level]({ sessionId: this.sessionId, turnId: this.id, ...fields }, message);
  }
}

/** A handler may be silent as long as the slowest tool may take with its retries, and a while more. */
function silenceLimit(config: AgentConfig): number {
  const toolTimes = config.tools.map((tool) => tool.timeoutMs * (tool.retries + 1));
  return MAX_TURN_SILENCE_MS + Math.max(0, ...toolTimes);
}

function rounded(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}

/** A rejection that is not reported as unhandled when the handler does not wait for it. */
function refused(reason: Error): Promise<never> {
  const refusal = Promise.reject(reason);
  refusal.catch(() => {});
  return refusal;
}
