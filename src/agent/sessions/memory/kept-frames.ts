import type { ChunkFrame, TurnFrame } from "../../../protocol/frames.ts";
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
  /**
   * The frames in order of `seq`, from seqBefore + 1 on. Those that made way leave holes at the beginning. Of a plain chunk only its
   * content is kept here: most frames are such, and every object that is kept long costs time at each collection of garbage.
   */
  frames: (TurnFrame | string | undefined)[];
  /** The timestamps of the plain chunks, at the indexes of their contents. */
  times: string[];
  /** What the plain chunks have in common. */
  ids: Pick<TurnFrame, "session_id" | "turn_id"> | undefined;
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

  /** The `seq` of the first frame behind which all are kept. Undefined when none is. */
  get firstSeq(): number | undefined {
    let first: number | undefined;
    for (let index = this.#turns.length - 1; index >= this.#first; index--) {
      const { seqBefore, frames, dropped } = this.#turns[index] as KeptTurn;
      if (frames.length > 0) first = seqBefore + 1 + dropped;
      if (dropped > 0) break;
    }
    return first;
  }

  beginTurn(seqBefore: number): void {
    this.#turns.push({
      seqBefore,
      frames: [],
      times: NO_TIMES,
      ids: undefined,
      bytes: 0,
      dropped: 0,
      endedAt: Infinity,
    });
  }

  /** Adds to the turn that began last. */
  append(frames: readonly TurnFrame[]): void {
    const turn = this.#turns.at(-1);
    if (turn === undefined) throw new Error("no turn has begun");
    const bytes = bytesOfFrames(frames);
    // Many turns have one frame: an array that grows would take room for 17.
    if (turn.frames.length === 0 && frames[0]?.type !== "chunk") turn.frames = frames.slice();
    else for (const frame of frames) keep(turn, frame);
    turn.bytes += bytes;
    this.#bytes += bytes;
    while (turn.bytes > MAX_FRAME_BYTES_PER_TURN && turn.dropped < turn.frames.length - 1) {
      const kept = turn.frames[turn.dropped];
      const oldest = keptBytes(kept);
      turn.frames[turn.dropped] = undefined;
      if (typeof kept === "string") turn.times[turn.dropped] = "";
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
      const turn = this.#turns[index] as KeptTurn;
      const { seqBefore, frames, dropped } = turn;
      for (let at = Math.max(dropped, after - seqBefore); at < frames.length; at++) {
        const frame = frameAt(turn, at);
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
    turn.times = NO_TIMES;
    this.#first += 1;
    if (this.#first < Math.max(FORGOTTEN_TURNS, this.#turns.length - this.#first)) return;
    this.#turns = this.#turns.slice(this.#first);
    this.#first = 0;
  }
}

const NO_TIMES: string[] = [];

/** Adds a frame to the turn. */
function keep(turn: KeptTurn, frame: TurnFrame): void {
  const at = turn.frames.length;
  const { session_id, turn_id } = frame;
  if (!isPlainChunk(frame) || frame.seq !== turn.seqBefore + 1 + at) {
    turn.frames.push(frame);
    return;
  }
  turn.ids ??= { session_id, turn_id };
  if (turn.ids.turn_id !== turn_id || turn.ids.session_id !== session_id) {
    turn.frames.push(frame);
    return;
  }
  if (turn.times === NO_TIMES) turn.times = [];
  turn.times[at] = frame.timestamp;
  turn.frames.push(frame.content);
}

/** A chunk that tells nothing but its text. */
function isPlainChunk(frame: TurnFrame): frame is ChunkFrame {
  return frame.type === "chunk" && frame.message_id === undefined;
}

/** The frame as it was added. There must be one at this index. */
function frameAt({ frames, times, ids, seqBefore }: KeptTurn, at: number): TurnFrame {
  const kept = frames[at];
  if (typeof kept !== "string") return kept as TurnFrame;
  const { session_id = "", turn_id = "" } = ids ?? {};
  const timestamp = times[at] ?? "";
  return { type: "chunk", session_id, turn_id, seq: seqBefore + 1 + at, timestamp, content: kept };
}

/** About how much memory frames take. */
export function bytesOfFrames(frames: readonly TurnFrame[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frameBytes(frame);
  return bytes;
}

function keptBytes(kept: TurnFrame | string | undefined): number {
  return typeof kept === "string"
    ? Buffer.byteLength(kept) + FRAME_OVERHEAD_BYTES
    : frameBytes(kept as TurnFrame);
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
