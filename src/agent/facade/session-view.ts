/**
 * One connection's view of one session: which frames the client has been sent, and how it comes by the next. Frames of
 * turns on this replica are pushed as they come; what was missed, and turns of other replicas, is read from the store.
 */
import type { ErrorBody, TurnFrame } from "../../protocol/frames.ts";
import type { StoreUse } from "../current-store.ts";
import type { EncodedFrame, Follower } from "../turns/session-feeds.ts";
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
    try {
      do {
        const before = this.#cursor;
        await this.#read(before, signal, (frame) => {
          if (frame.seq <= this.#cursor) return true;
          this.#cursor = frame.seq;
          this.#outlet.send(JSON.stringify(frame));
          awaitsEnd = !isLast(frame);
          // What follows is pushed.
          return this.#outlet.publishedSeq(this.sessionId) !== frame.seq;
        });
        if (signal.aborted) return;
        // What was pushed meanwhile and is not in the store any more is gone.
        if (this.#cursor === before) this.#cursor = Math.max(before, this.#pushedSeq);
      } while (this.#pushedSeq > this.#cursor);
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
    try {
      await this.#read(seqBefore, controller.signal, (frame) => {
        if (frame.turn_id !== turnId) return false;
        this.#outlet.send(JSON.stringify(frame));
        state = isLast(frame) ? "ended" : "begun";
        return state !== "ended";
      });
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

  /** Reads until `take` wants no more, at the pace of the client. */
  async #read(
    after: number,
    signal: AbortSignal,
    take: (frame: TurnFrame) => boolean,
  ): Promise<void> {
    const use = this.#outlet.useStore();
    try {
      for await (const frames of use.store.frames(this.sessionId, after, signal)) {
        for (const frame of frames) {
          if (signal.aborted || !take(frame)) return;
        }
        await this.#outlet.whenWritable();
      }
    } finally {
      use.release();
    }
  }
}

function isLast(frame: TurnFrame): boolean {
  return frame.type === "done" || frame.type === "error";
}
