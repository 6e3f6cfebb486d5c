/**
 * One turn from its begin in the store to its last frame. It belongs to its session: it goes on when every client has
 * left.
 */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { ErrorBody, TurnFrame, Usage } from "../../protocol/frames.ts";
import type { Timer } from "../../time/clock.ts";
import type { RequestStatus } from "../contracts/agent-metrics.ts";
import type { EarlierRun, Handler, StepNote, Turn, TurnEvent } from "../contracts/handler.ts";
import {
  MAX_ANSWER_CHARACTERS,
  MAX_TURN_SILENCE_MS,
  STOP_GRACE_MS,
  STORE_RETURN_RETRIES_MS,
  TURN_WRITE_RETRIES_MS,
} from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import {
  StoreUnavailableError,
  TurnLostError,
  type SessionStore,
  type TurnLease,
} from "../sessions/session-store.ts";
import { StopSignal } from "./stop-signal.ts";
import { withStoreRetries } from "./store-retry.ts";
import { Transcript } from "./transcript.ts";
import type { TurnContext } from "./turn-context.ts";
import {
  endingOfError,
  endingOfResult,
  endingOfStop,
  errorBody,
  requestStatus,
  type StopReason,
  type TurnEnding,
} from "./turn-ending.ts";
import { TurnWriter } from "./turn-writer.ts";

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
  readonly #stop = new StopSignal();
  readonly #transcript: Transcript;
  readonly #writer: TurnWriter;

  #isRenewing = false;
  #hasEnded = false;

  constructor(context: TurnContext, input: TurnInput) {
    const { lease, store, receivedAt, takenOver } = input;
    this.#context = context;
    this.#lease = lease;
    this.#store = store;
    this.#receivedAt = receivedAt;
    this.id = lease.turnId;
    this.sessionId = lease.sessionId;
    this.content = input.content;
    this.metadata = input.metadata;
    this.config = input.config;
    this.earlier = takenOver?.earlier;
    this.#transcript = new Transcript(this.id, takenOver?.earlier);
    this.#writer = new TurnWriter(context, {
      lease,
      store,
      stop: this.#stop,
      messageId: input.messageId,
      receivedAt,
      lastSeq: takenOver?.lastSeq ?? lease.seqBefore,
      journaled: takenOver?.journaled ?? 0,
      known: this.#transcript.recorded,
    });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The last `seq` that the followers were given. */
  get publishedSeq(): number {
    return this.#writer.publishedSeq;
  }

  async history(): Promise<HistoryMessage[]> {
    const messages = await withStoreRetries(() => this.#store.history(this.sessionId), {
      clock: this.#context.clock,
      pausesMs: TURN_WRITE_RETRIES_MS,
      isOver: () => this.#stop.stopped !== undefined,
    });
    return messages.filter((message) => message.turnId !== this.id);
  }

  record(message: HistoryMessage, note?: StepNote): void {
    if (this.#transcript.record(message)) this.#writer.record(message, note);
  }

  stored(): Promise<void> {
    return this.#writer.stored();
  }

  emit(event: TurnEvent): Promise<void> {
    if (this.#stop.stopped !== undefined) return refused(this.#stop.stopped);
    if (this.#hasEnded) return refused(new Error("the turn has ended"));
    if (event.type === "chunk") this.#transcript.say(event.content);
    const room = this.#writer.emit(event);
    if (this.#transcript.answer.length > MAX_ANSWER_CHARACTERS) this.stop("answer-too-long");
    return room;
  }

  /** Lets the handler come to its end; what was said so far stays said. The first reason counts. */
  stop(reason: StopReason): void {
    this.#stop.stop(reason);
  }

  /** Called every few seconds: keeps the turn's lease, and ends a turn that has fallen silent. */
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
      if (error instanceof TurnLostError) this.stop("lease-lost");
      else this.#log("warn", { error }, "The lease of a turn could not be renewed; trying again");
    } finally {
      this.#isRenewing = false;
    }
  }

  /** Never rejects. `onEnd` is called once nothing more is written, before the last frame goes out. */
  async run(handler: Handler, onEnd: () => void): Promise<void> {
    const stopListening = this.#store.onCancel(this.#lease, () => this.stop("cancelled"));
    const ending = await this.#untilEnd(handler);
    stopListening();
    this.#hasEnded = true;
    const wasCut = this.#stop.stopped !== undefined;
    const { writing } = this.#writer;
    if (writing !== undefined) await writing;
    const status = await this.#settle(ending, wasCut, onEnd);
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
        const { stopped } = this.#stop;
        resolve(stopped === undefined ? ending : endingOfStop(stopped.reason, usage));
      };
      this.#stop.onStop(({ reason }) => {
        grace = this.#context.clock.setTimer(STOP_GRACE_MS, () => resolve(endingOfStop(reason)));
      });
      const onError = (error: unknown): void => end(endingOfError(error));
      try {
        handler.run(this).then((result) => end(endingOfResult(result), result.usage), onError);
      } catch (error) {
        onError(error);
      }
    });
  }

  /** Stores the end of the turn and sends it; without the one there is not the other. */
  async #settle(ending: TurnEnding, wasCut: boolean, onEnd: () => void): Promise<RequestStatus> {
    if (ending.type === "error") this.#logFailure(ending);
    const fail = (error: ErrorBody): RequestStatus => {
      onEnd();
      this.#writer.publishFailure(error);
      return "error";
    };
    const move = (): RequestStatus => {
      onEnd();
      this.#context.feeds.turnMoved(this.sessionId);
      return "error";
    };
    if (ending.type === "lost") return move();
    const stopReason = this.#stop.stopped?.reason;
    if (stopReason === "shutting-down" && (await this.#handOver())) {
      onEnd();
      return "error";
    }
    // A store that was tried for long is not waited for: the clients hear of it now, and the store when it can.
    const isStoreAway = stopReason === "store-unavailable";
    if (isStoreAway) fail(errorBody(new StoreUnavailableError()));
    let frames: readonly TurnFrame[];
    try {
      frames = await this.#writer.end(ending, {
        answer: this.#transcript.answer,
        messages: this.#transcript.messages(ending, {
          isCancelled: stopReason === "cancelled",
          wasCut,
        }),
        pausesMs: isStoreAway ? STORE_RETURN_RETRIES_MS : TURN_WRITE_RETRIES_MS,
      });
    } catch (error) {
      if (error instanceof TurnLostError) return isStoreAway ? "error" : move();
      this.#log("error", { error }, "The end of a turn could not be stored");
      return isStoreAway ? "error" : fail(errorBody(error));
    }
    if (isStoreAway) return "error";
    onEnd();
    this.#writer.publish(frames);
    return requestStatus(ending);
  }

  /** A replica that shuts down leaves its turn to another one. Its clients hear of that when they have come back. */
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
