/**
 * One connection's view of one session: which frames the client has been sent, and how it gets the next ones. Frames of
 * turns on this replica are pushed as they come. Frames that the client missed, and those of turns on other replicas, are
 * read from the store.
 */
import type { SessionOwner } from "../sessions/session-client.ts";
import type { ApprovalRequestFrame, ErrorBody, TurnFrame } from "../../protocol/frames.ts";
import { encodeTextFrame } from "../../protocol/text-frame.ts";
import type { Clock } from "../../time/clock.ts";
import { TURN_WRITE_RETRIES_MS } from "../contracts/limits.ts";
import { FramesForgottenError, StoreUnavailableError } from "../sessions/session-store.ts";
import type { EncodedFrame, Follower } from "../turns/session-feeds.ts";
import { INTERRUPTED, SESSION_DELETED } from "../turns/turn-ending.ts";
import type { ConnectionFrames, FrameOutlet } from "./connection-frames.ts";
import type { SessionSource } from "./session-source.ts";

/** What all views of one connection share. */
export interface ViewContext {
  readonly outlet: FrameOutlet;
  readonly frames: ConnectionFrames;
  readonly source: SessionSource;
  readonly clock: Clock;
  readonly owner: ViewOwner;
  /** Whose sessions the client may see. */
  readonly sessionOwner: SessionOwner;
}

export interface ViewOwner {
  /** A turn of the session has ended for this view, or the view awaits nothing more. */
  onIdle(view: SessionView): void;
}

const FORGOTTEN: ErrorBody = {
  code: "INVALID_MESSAGE",
  message: "This message was answered before, and its answer is no longer kept.",
};

export class SessionView implements Follower {
  readonly sessionId: string;
  readonly #context: ViewContext;
  readonly #outlet: FrameOutlet;
  /** The client has every frame after `#from`, up to `#cursor` and including it. */
  #from: number;
  #cursor: number;
  #catchUp: AbortController | undefined;
  #replays = new Set<AbortController>();
  /** The last frame that was pushed while the view was reading from the store. */
  #pushedSeq = 0;

  constructor(sessionId: string, seq: number, context: ViewContext) {
    this.sessionId = sessionId;
    this.#from = seq;
    this.#cursor = seq;
    this.#context = context;
    this.#outlet = context.outlet;
  }

  /** Whether frames are still to come: some are being read from the store, or a turn runs here. */
  get isAwaited(): boolean {
    return this.#catchUp !== undefined || this.#replays.size > 0 || this.#runsHere();
  }

  deliver(frames: readonly EncodedFrame[]): void {
    if (this.#catchUp !== undefined) {
      this.#pushedSeq = frames.at(-1)?.frame.seq ?? this.#pushedSeq;
      return;
    }
    if (frames.length === 1) this.#push(frames);
    else this.#outlet.sendTogether(() => this.#push(frames));
  }

  #push(frames: readonly EncodedFrame[]): void {
    for (const { frame, bytes } of frames) {
      if (frame.seq <= this.#cursor) continue;
      if (frame.seq > this.#cursor + 1) {
        // The frames between were written by another replica.
        this.follow(this.#cursor);
        return;
      }
      this.#cursor = frame.seq;
      this.#outlet.send(bytes);
      if (isLast(frame)) this.#context.owner.onIdle(this);
    }
  }

  deliverFailure(text: string): void {
    this.#outlet.send(encodeTextFrame(text));
    this.#context.owner.onIdle(this);
  }

  turnMoved(): void {
    if (this.#catchUp === undefined) this.follow(this.#cursor);
  }

  whenWritable(): Promise<void> | undefined {
    return this.#catchUp === undefined ? this.#outlet.whenWritable() : undefined;
  }

  /** A message of this client begins a turn here: the client gets the frames of that turn, whatever it missed before. */
  expectTurn(seqBefore: number): void {
    if (this.#catchUp !== undefined || this.#cursor === seqBefore) return;
    this.#from = seqBefore;
    this.#cursor = seqBefore;
  }

  /**
   * Sends the frames after `after`, and then those that come. `turnRuns`: the end of a turn is awaited. `open`: requests of calls
   * that wait for an approval, which are sent also if they are no longer kept among the frames.
   */
  follow(after: number, turnRuns = true, open: readonly ApprovalRequestFrame[] = []): void {
    this.#catchUp?.abort();
    const controller = new AbortController();
    this.#catchUp = controller;
    this.#from = after;
    this.#cursor = after;
    this.#pushedSeq = 0;
    void this.#readOn(controller, turnRuns, open);
  }

  /** Sends all frames of a turn whose message was repeated, unless the client is getting them already. */
  followTurn(turn: { turnId: string; seqBefore: number; running: boolean }): void {
    const { turnId, seqBefore, running } = turn;
    if (!running) {
      void this.#replay(turnId, seqBefore);
      return;
    }
    const isFollowed = this.#runsHere() || this.#catchUp !== undefined;
    if (this.#from <= seqBefore && isFollowed) return;
    this.follow(seqBefore);
  }

  close(): void {
    this.#catchUp?.abort();
    this.#catchUp = undefined;
    for (const replay of this.#replays) replay.abort();
  }

  async #readOn(
    controller: AbortController,
    turnRuns: boolean,
    open: readonly ApprovalRequestFrame[],
  ): Promise<void> {
    const { signal } = controller;
    let awaitsEnd = turnRuns;
    /** The store has all frames of the turn that there will be. */
    let hasEnded = false;
    let isGone = false;
    const take = (frame: TurnFrame): boolean => {
      if (frame.seq <= this.#cursor) return true;
      this.#cursor = frame.seq;
      this.#outlet.send(encodeTextFrame(JSON.stringify(frame)));
      awaitsEnd = !isLast(frame);
      return !this.#isPushed();
    };
    const onForgotten = (keptAfter: number): void => {
      this.#context.frames.sendError(this.sessionId, forgotten(keptAfter));
      const isForgotten = ({ seq }: TurnFrame) => seq > this.#cursor && seq <= keptAfter;
      this.#context.frames.sendRequests(open.filter(isForgotten));
      this.#cursor = keptAfter;
    };
    let failures = 0;
    try {
      for (;;) {
        const before = this.#cursor;
        try {
          await this.#read(before, signal, take, onForgotten);
        } catch (error) {
          // While the store cannot be reached the turn waits for it, and so do those who follow the turn.
          if (this.#cursor !== before) failures = 0;
          const pause = TURN_WRITE_RETRIES_MS[failures++];
          if (!(error instanceof StoreUnavailableError) || pause === undefined) throw error;
          await this.#context.clock.sleep(pause, signal).catch(() => {});
          continue;
        }
        if (signal.aborted) return;
        // Frames that were pushed meanwhile, and that the store does not have any more, cannot be sent.
        if (this.#cursor === before) this.#cursor = Math.max(before, this.#pushedSeq);
        if (this.#pushedSeq > this.#cursor) continue;
        if (!awaitsEnd || hasEnded || this.#isPushed()) break;
        const { source, sessionOwner } = this.#context;
        hasEnded = (await source.recover(this.sessionId, sessionOwner)) === "ended";
        if (signal.aborted) return;
        if (this.#isPushed()) break;
      }
      if (awaitsEnd && hasEnded) {
        const { source, sessionOwner } = this.#context;
        isGone = !(await source.has(this.sessionId, sessionOwner));
        if (signal.aborted) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      awaitsEnd = false;
      this.#context.frames.sendFailure(this.sessionId, error);
    }
    this.#catchUp = undefined;
    if (this.#runsHere()) return;
    if (awaitsEnd)
      this.#context.frames.sendError(this.sessionId, isGone ? SESSION_DELETED : INTERRUPTED);
    this.#context.owner.onIdle(this);
  }

  async #replay(turnId: string, seqBefore: number): Promise<void> {
    const controller = new AbortController();
    this.#replays.add(controller);
    let state = "nothing" as "nothing" | "begun" | "ended";
    let keptAfter: number | undefined;
    const take = (frame: TurnFrame): boolean => {
      if (frame.turn_id !== turnId) return false;
      if (state === "nothing" && keptAfter !== undefined) {
        this.#context.frames.sendError(this.sessionId, forgotten(keptAfter));
      }
      this.#outlet.send(encodeTextFrame(JSON.stringify(frame)));
      state = isLast(frame) ? "ended" : "begun";
      return state !== "ended";
    };
    try {
      await this.#read(seqBefore, controller.signal, take, (seq) => (keptAfter = seq));
      if (!controller.signal.aborted && state !== "ended") {
        // The turn has no last frame because its replica ended before it.
        this.#context.frames.sendError(
          this.sessionId,
          state === "nothing" ? FORGOTTEN : INTERRUPTED,
        );
      }
    } catch (error) {
      if (!controller.signal.aborted) this.#context.frames.sendFailure(this.sessionId, error);
    } finally {
      this.#replays.delete(controller);
    }
    if (!controller.signal.aborted) this.#context.owner.onIdle(this);
  }

  #runsHere(): boolean {
    return this.#context.source.publishedSeq(this.sessionId) !== undefined;
  }

  /** Whether the frames that follow will be pushed. */
  #isPushed(): boolean {
    return this.#context.source.publishedSeq(this.sessionId) === this.#cursor;
  }

  /**
   * Reads frames at the pace of the client, until `take` answers that it wants no more. Frames that are no longer kept are
   * left out, and `onForgotten` is told the `seq` of the last one of them.
   */
  async #read(
    after: number,
    signal: AbortSignal,
    take: (frame: TurnFrame) => boolean,
    onForgotten: (keptAfter: number) => void,
  ): Promise<void> {
    const use = this.#context.source.useStore();
    let position = after;
    try {
      for (;;) {
        try {
          for await (const frames of use.store.frames(this.sessionId, position, signal)) {
            let isEnough = false;
            this.#outlet.sendTogether(() => {
              isEnough = !frames.every((frame) => !signal.aborted && take(frame));
            });
            if (isEnough) return;
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
