import type { ChunkFrame, DoneFrame, TurnFrame } from "../../../protocol/frames.ts";
import {
  FRAME_RETENTION_MS,
  MAX_FRAME_BYTES_PER_SESSION,
  MAX_FRAME_BYTES_PER_TURN,
} from "../session-store.ts";
import { Rows } from "./rows.ts";

/** Frames that one replay step gives at once. */
const MAX_FRAMES_PER_BATCH = 128;
/** What a frame takes beside its text: ids, time, and the object itself. */
const FRAME_OVERHEAD_BYTES = 256;

/** The frames of one turn. */
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
}

/**
 * The frames of a session's last turns, in memory, within the limits of their number and age. Of a turn that was answered in one
 * plain frame only the parts of this frame are kept, since each object that is kept long costs time at each collection of garbage.
 */
export class KeptFrames {
  /** Of each turn that has ended the id, the text, the time and the finish reason of its one frame; or all of it, and nothing. */
  readonly #turns = new Rows<KeptTurn | string | undefined>(4, undefined);
  /** And the `seq` before it, its bytes, and when it ended. */
  readonly #numbers = new Rows<number>(3, 0);
  #endedBytes = 0;
  /** The turn that began last, until it ends. */
  #running: KeptTurn | undefined;
  /** What the turns of one frame have in common. */
  #sessionId: string | undefined;
  /** The `seq` of the first frame behind the last one that made way for others of its turn. */
  #wholeFrom = 0;

  get bytes(): number {
    return this.#endedBytes + (this.#running?.bytes ?? 0);
  }

  /** The `seq` of the first frame behind which all are kept. Undefined when none is. */
  get firstSeq(): number | undefined {
    if (this.bytes === 0) return undefined;
    const isEnded = this.#turns.length > 0;
    const seqBefore = isEnded ? this.#numbers.at(0, 0) : this.#running?.seqBefore;
    return Math.max((seqBefore ?? 0) + 1, this.#wholeFrom);
  }

  beginTurn(seqBefore: number): void {
    this.endTurn(Infinity);
    this.#running = {
      seqBefore,
      frames: [],
      times: NO_TIMES,
      ids: undefined,
      bytes: 0,
      dropped: 0,
    };
  }

  /** Adds to the turn that began last. */
  append(frames: readonly TurnFrame[]): void {
    const turn = this.#running;
    if (turn === undefined) throw new Error("no turn has begun");
    const bytes = bytesOfFrames(frames);
    // Many turns have one frame: an array that grows would take room for 17.
    if (turn.frames.length === 0 && frames[0]?.type !== "chunk") turn.frames = frames.slice();
    else for (const frame of frames) keep(turn, frame);
    turn.bytes += bytes;
    while (turn.bytes > MAX_FRAME_BYTES_PER_TURN && turn.dropped < turn.frames.length - 1) {
      const kept = turn.frames[turn.dropped];
      turn.frames[turn.dropped] = undefined;
      if (typeof kept === "string") turn.times[turn.dropped] = "";
      turn.dropped += 1;
      turn.bytes -= keptBytes(kept);
      this.#wholeFrom = turn.seqBefore + 1 + turn.dropped;
    }
  }

  endTurn(now: number): void {
    const turn = this.#running;
    if (turn === undefined) return;
    this.#running = undefined;
    const frame = plainAnswer(turn);
    this.#sessionId ??= frame?.session_id;
    if (frame === undefined || frame.session_id !== this.#sessionId) {
      this.#turns.end().push(turn, undefined, undefined, undefined);
    } else {
      this.#turns.end().push(frame.turn_id, frame.content, frame.timestamp, frame.finish_reason);
    }
    this.#numbers.end().push(turn.seqBefore, turn.bytes, now);
    this.#endedBytes += turn.bytes;
    while (this.#endedBytes > MAX_FRAME_BYTES_PER_SESSION && this.#turns.length > 1) {
      this.#forgetFirst();
    }
  }

  /** Forgets the turns that ended FRAME_RETENTION_MS ago or before. */
  forgetOld(now: number): void {
    const time = now - FRAME_RETENTION_MS;
    while (this.#turns.length > 0 && this.#numbers.at(0, 2) <= time) this.#forgetFirst();
  }

  /** The next frames with `seq` > after: not all of them when they are many, or one between them is no longer kept. */
  after(after: number): TurnFrame[] {
    const batch: TurnFrame[] = [];
    // Most callers ask for the end of what is kept.
    const count = this.#turns.length;
    let index = count;
    if (this.#running === undefined || this.#running.seqBefore > after) {
      do index -= 1;
      while (index > 0 && this.#numbers.at(index, 0) > after);
    }
    for (index = Math.max(index, 0); index <= count; index++) {
      const turn = index < count ? this.#endedTurn(index) : this.#running;
      if (turn === undefined) break;
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

  #endedTurn(index: number): KeptTurn {
    const turn = this.#turns.at(index, 0);
    if (typeof turn === "object") return turn;
    const seqBefore = this.#numbers.at(index, 0);
    const frame = {
      type: "done",
      session_id: this.#sessionId,
      turn_id: turn,
      seq: seqBefore + 1,
      timestamp: this.#turns.at(index, 2),
      content: this.#turns.at(index, 1),
      finish_reason: this.#turns.at(index, 3),
    } as DoneFrame;
    return { seqBefore, frames: [frame], times: NO_TIMES, ids: undefined, bytes: 0, dropped: 0 };
  }

  #forgetFirst(): void {
    this.#endedBytes -= this.#numbers.at(0, 1);
    this.#turns.dropFirst();
    this.#numbers.dropFirst();
  }
}

/** The one frame of the turn, if it has one and that tells nothing but the answer. */
function plainAnswer({ seqBefore, frames, dropped }: KeptTurn): DoneFrame | undefined {
  const [frame] = frames;
  if (frames.length !== 1 || dropped > 0 || typeof frame !== "object") return undefined;
  if (frame.type !== "done" || frame.seq !== seqBefore + 1) return undefined;
  const { message_id, usage, state, warnings } = frame;
  return (message_id ?? usage ?? state ?? warnings) === undefined ? frame : undefined;
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
