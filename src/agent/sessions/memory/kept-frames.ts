import type { TurnFrame } from "../../../protocol/frames.ts";
import {
  FRAME_RETENTION_MS,
  MAX_FRAME_BYTES_PER_SESSION,
  MAX_FRAME_BYTES_PER_TURN,
} from "../session-store.ts";

/** Frames that one replay step gives at once. */
const MAX_FRAMES_PER_BATCH = 128;
/** Turns that were forgotten are cut off the list when there are this many of them, and as many as those that are kept. */
const FORGOTTEN_TURNS = 32;
/** What a frame takes beside its text: ids, time, and the object itself. */
const FRAME_OVERHEAD_BYTES = 256;

interface KeptTurn {
  readonly seqBefore: number;
  /** The frames in order of `seq`, from seqBefore + 1 on. Those that made way leave holes at the beginning. */
  frames: (TurnFrame | undefined)[];
  bytes: number;
  /** All before this index made way. */
  dropped: number;
  endedAt: number;
}

/** The frames of a session's last turns, in memory, within the limits of their number and age. */
export class KeptFrames {
  #turns: KeptTurn[] = [];
  /** All before this index were forgotten: to move a long list up at every turn costs more than the turn. */
  #first = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  beginTurn(seqBefore: number): void {
    this.#turns.push({ seqBefore, frames: [], bytes: 0, dropped: 0, endedAt: Infinity });
  }

  /** Adds to the turn that began last. */
  append(frames: readonly TurnFrame[]): void {
    const turn = this.#turns.at(-1);
    if (turn === undefined) throw new Error("no turn has begun");
    const bytes = bytesOfFrames(frames);
    // Many turns have one frame: an array that grows would take room for 17.
    if (turn.frames.length === 0) turn.frames = frames.slice();
    else for (const frame of frames) turn.frames.push(frame);
    turn.bytes += bytes;
    this.#bytes += bytes;
    while (turn.bytes > MAX_FRAME_BYTES_PER_TURN && turn.dropped < turn.frames.length - 1) {
      const oldest = frameBytes(turn.frames[turn.dropped] as TurnFrame);
      turn.frames[turn.dropped] = undefined;
      turn.dropped += 1;
      turn.bytes -= oldest;
      this.#bytes -= oldest;
    }
  }

  endTurn(now: number): void {
    const turn = this.#turns.at(-1);
    if (turn === undefined || turn.endedAt !== Infinity) return;
    turn.endedAt = now;
    while (this.#bytes > MAX_FRAME_BYTES_PER_SESSION && this.#turns.length - this.#first > 1) {
      this.#forgetFirst();
    }
  }

  /** Forgets the turns that ended FRAME_RETENTION_MS ago or before. */
  forgetOld(now: number): void {
    const time = now - FRAME_RETENTION_MS;
    for (;;) {
      const first = this.#turns[this.#first];
      if (first === undefined || first.endedAt > time) return;
      this.#forgetFirst();
    }
  }

  /** The next frames with `seq` > after: not all of them when they are many, or one between them is no longer kept. */
  after(after: number): TurnFrame[] {
    const batch: TurnFrame[] = [];
    // Most callers ask for the end of what is kept.
    let index = Math.max(
      this.#first,
      this.#turns.findLastIndex((turn) => turn.seqBefore <= after),
    );
    for (; index < this.#turns.length; index++) {
      const { seqBefore, frames, dropped } = this.#turns[index] as KeptTurn;
      for (let at = Math.max(dropped, after - seqBefore); at < frames.length; at++) {
        const frame = frames[at] as TurnFrame;
        const last = batch.at(-1)?.seq;
        if (last !== undefined && frame.seq !== last + 1) return batch;
        batch.push(frame);
        if (batch.length === MAX_FRAMES_PER_BATCH) return batch;
      }
    }
    return batch;
  }

  #forgetFirst(): void {
    const turn = this.#turns[this.#first] as KeptTurn;
    this.#bytes -= turn.bytes;
    turn.frames = [];
    this.#first += 1;
    if (this.#first < Math.max(FORGOTTEN_TURNS, this.#turns.length - this.#first)) return;
    this.#turns = this.#turns.slice(this.#first);
    this.#first = 0;
  }
}

/** About how much memory frames take. */
export function bytesOfFrames(frames: readonly TurnFrame[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frameBytes(frame);
  return bytes;
}

function frameBytes(frame: TurnFrame): number {
  switch (frame.type) {
    case "chunk":
    case "done":
      return Buffer.byteLength(frame.content) + FRAME_OVERHEAD_BYTES;
    case "tool_call":
    case "tool_result":
    case "approval_request":
    case "error":
      return Buffer.byteLength(JSON.stringify(frame)) + FRAME_OVERHEAD_BYTES;
  }
}
