/**
 * One connection's view of one session: which frames the client has been sent, and how it comes by the next. Frames of
 * turns on this replica are pushed as they come; what was missed, and turns of other replicas, is read from the store.
 */
import type { ErrorBody, TurnFrame } from "../../protocol/frames.ts";
import type { StoreUse } from "../sessions/current-store.ts";
import type { EncodedFrame, Follower } from "../turns/session-feeds.ts";
import { TURN_WRITE_RETRIES_MS } from "../contracts/limits.ts";
import { FramesForgottenError, StoreUnavailableError } from "../sessions/session-store.ts";
import { INTERRUPTED } from "../turns/turn-ending.ts";

export interface ViewOutlet {
  send(text: string): void;
  sendError(sessionId: string, error: ErrorBody): void;
  whenWritable(): Promise<void> | undefined;
  /** A turn of the session has ended for this view, or nothing more is awaited. */
  onIdle(view: SessionView): void;
  /** The last `seq` that was pushed of the turn that runs here, if one does. */
  publishedSeq(sessionId: string): number | undefined;
  /** A store for as long as frames are read from it. Throws when there is none. */
  useStore(): StoreUse;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** Sees to a turn of which nothing more comes; answers whether it runs, as far as is known. */
  recover(sessionId: string): Promise<"running" | "ended">;
  onFailure(error: unknown, sessionId: string): void;
}

const FORGOTTEN: ErrorBody = {
  code: "INVALID_MESSAGE",
  message: "This message was answered before, and its answer is no longer kept.",
};

export class SessionView implements Follower {
  readonly sessionId: string;
  readonly #outlet: ViewOutlet;
  /** The client has every frame between the two, the later one included. */
  #from: number;
  #cursor: number;
  #catchUp: AbortController | undefined;
  #replays = new Set<AbortController>();
  /** The last frame that was pushed while the view was reading from the store. */
  #pushedSeq = 0;

  constructor(sessionId: string, seq: number, outlet: ViewOutlet) {
    this.sessionId = sessionId;
    this.#from = seq;
    this.#cursor = seq;
    this.#outlet = outlet;
  }

  /** Whether frames are being read from the store. */
  get isReading(): boolean {
    return this.#catchUp !== undefined || this.#replays.size > 0;
  }

  deliver(frames: readonly EncodedFrame[]): void {
    if (this.#catchUp !== undefined) {
      this.#pushedSeq = frames.at(-1)?.frame.seq ?? this.#pushedSeq;
      return;
    }
    for (const { frame, text } of frames) {
      if (frame.seq <= this.#cursor) continue;
      if (frame.seq > this.#cursor + 1) {
        // Turns on another replica went by.
        this.follow(this.#cursor);
        return;
      }
      this.#cursor = frame.seq;
      this.#outlet.send(text);
      if (isLast(frame)) this.#outlet.onIdle(this);
    }
  }

  deliverFailure(text: string): void {
    this.#outlet.send(text);
    this.#outlet.onIdle(this);
  }

  turnMoved(): void {
    if (this.#catchUp === undefined) this.follow(this.#cursor);
  }

  whenWritable(): Promise<void> | undefined {
    return this.#catchUp === undefined ? this.#outlet.whenWritable() : undefined;
  }

  /** The client's own message begins a turn here: it gets that turn's frames, whatever it missed before. */
  expectTurn(seqBefore: number): void {
    if (this.#catchUp !== undefined || this.#cursor === seqBefore) return;
    this.#from = seqBefore;
    this.#cursor = seqBefore;
  }

  /** Sends the frames that follow `after` and goes on live. `turnRuns`: the end of a turn is awaited. */
  follow(after: number, turnRuns = true): void {
    this.#catchUp?.abort();
    const controller = new AbortController();
    this.#catchUp = controller;
    this.#from = after;
    this.#cursor = after;
    this.#pushedSeq = 0;
    void this.#readOn(controller, turnRuns);
  }

  /** The frames of a turn that a repeated message began: all of them, unless this client is getting them already. */
  followTurn(turn: { turnId: string; seqBefore: number; running: boolean }): void {
    const { turnId, seqBefore, running } = turn;
    if (!running) {
      void this.#replay(turnId, seqBefore);
      return;
    }
    const pushedHere = this.#outlet.publishedSeq(this.sessionId) !== undefined;
    if (this.#from <= seqBefore && (pushedHere || this.#catchUp !== undefined)) return;
    this.follow(seqBefore);
  }

  close(): void {
    this.#catchUp?.abort();
    this.#catchUp = undefined;
    for (const replay of this.#replays) replay.abort();
  }

  async #readOn(controller: AbortController, turnRuns: boolean): Promise<void> {
    const { signal } = controller;
    let awaitsEnd = turnRuns;
    /** All that is to come of the turn is in the store. */
    let hasEnded = false;
    const take = (frame: TurnFrame): boolean => {
      if (frame.seq <= this.#cursor) return true;
      this.#cursor = frame.seq;
      this.#outlet.send(JSON.stringify(frame));
      awaitsEnd = !isLast(frame);
      return !this.#isPushed();
    };
    const onForgotten = (keptAfter: number): void => {
      this.#outlet.sendError(this.sessionId, forgotten(keptAfter));
      this.#cursor = keptAfter;
    };
    let failures = 0;
    try {
      for (;;) {
        const before = this.#cursor;
        try {
          await this.#read(before, signal, take, onForgotten);
        } catch (error) {
          // A store that is away for a moment holds up those who follow as it holds up the turn.
          if (this.#cursor !== before) failures = 0;
          const pause = TURN_WRITE_RETRIES_MS[failures++];
          if (!(error instanceof StoreUnavailableError) || pause === undefined) throw error;
          await this.#outlet.pause(pause, signal);
          continue;
        }
        if (signal.aborted) return;
        // What was pushed meanwhile and is not in the store any more is gone.
        if (this.#cursor === before) this.#cursor = Math.max(before, this.#pushedSeq);
        if (this.#pushedSeq > this.#cursor) continue;
        if (!awaitsEnd || hasEnded || this.#isPushed()) break;
        hasEnded = (await this.#outlet.recover(this.sessionId)) === "ended";
        if (signal.aborted) return;
        if (this.#isPushed()) break;
      }
    } catch (error) {
      if (signal.aborted) return;
      awaitsEnd = false;
      this.#outlet.onFailure(error, this.sessionId);
    }
    this.#catchUp = undefined;
    if (this.#outlet.publishedSeq(this.sessionId) !== undefined) return;
    if (awaitsEnd) this.#outlet.sendError(this.sessionId, INTERRUPTED);
    this.#outlet.onIdle(this);
  }

  async #replay(turnId: string, seqBefore: number): Promise<void> {
    const controller = new AbortController();
    this.#replays.add(controller);
    let state = "nothing" as "nothing" | "begun" | "ended";
    let keptAfter: number | undefined;
    const take = (frame: TurnFrame): boolean => {
      if (frame.turn_id !== turnId) return false;
      if (state === "nothing" && keptAfter !== undefined) {
        this.#outlet.sendError(this.sessionId, forgotten(keptAfter));
      }
      this.#outlet.send(JSON.stringify(frame));
      state = isLast(frame) ? "ended" : "begun";
      return state !== "ended";
    };
    try {
      await this.#read(seqBefore, controller.signal, take, (seq) => (keptAfter = seq));
      if (!controller.signal.aborted && state !== "ended") {
        // A turn without an end was cut off with its replica.
        this.#outlet.sendError(this.sessionId, state === "nothing" ? FORGOTTEN : INTERRUPTED);
      }
    } catch (error) {
      if (!controller.signal.aborted) this.#outlet.onFailure(error, this.sessionId);
    } finally {
      this.#replays.delete(controller);
    }
    if (!controller.signal.aborted) this.#outlet.onIdle(this);
  }

  /** Whether what follows is pushed. */
  #isPushed(): boolean {
    return this.#outlet.publishedSeq(this.sessionId) === this.#cursor;
  }

  /** Reads until `take` wants no more, at the pace of the client; goes on behind frames that are no longer kept. */
  async #read(
    after: number,
    signal: AbortSignal,
    take: (frame: TurnFrame) => boolean,
    onForgotten: (keptAfter: number) => void,
  ): Promise<void> {
    const use = this.#outlet.useStore();
    let position = after;
    try {
      for (;;) {
        try {
          for await (const frames of use.store.frames(this.sessionId, position, signal)) {
            for (const frame of frames) {
              if (signal.aborted || !take(frame)) return;
            }
            await this.#outlet.whenWritable();
          }
          return;
        } catch (error) {
          if (!(error instanceof FramesForgottenError) || signal.aborted) throw error;
          position = error.keptAfter;
          onForgotten(position);
        }
      }
    } finally {
      use.release();
    }
  }
}

function forgotten(keptAfter: number): ErrorBody {
  return {
    code: "INVALID_MESSAGE",
    message: `The frames up to seq ${keptAfter} are no longer kept.`,
    details: { kept_after: keptAfter },
  };
}

function isLast(frame: TurnFrame): boolean {
  return frame.type === "done" || frame.type === "error";
}
