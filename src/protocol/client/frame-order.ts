/** Decides which frames of a session are passed on: each one once, in the order of `seq`, and none left out. */
export class FrameOrder {
  /** The last `seq` that was passed on. */
  #seq: number;
  /** The server was asked for what follows `#seq`, and its answer has not begun. */
  #isAsking = false;
  /** The server has sent all frames up to this one that it still has. */
  #toldTo = 0;
  /** The frame that showed a gap. */
  #beyondGap = 0;

  constructor(seq: number) {
    this.#seq = seq;
  }

  get seq(): number {
    return this.#seq;
  }

  /** The frames after `seq` are asked for. Frames that come before the answer come again with it. */
  ask(): void {
    this.#isAsking = true;
  }

  /** The answer begins. `lastSeq` is the last `seq` that the server knows. */
  answered(lastSeq: number): void {
    this.#isAsking = false;
    this.#toldTo = Math.max(lastSeq, this.#beyondGap);
    // A store that lost its last writes goes on counting from an earlier frame.
    this.#seq = Math.min(this.#seq, lastSeq);
  }

  /** Returns `gap` when frames before this one are missing, which must be asked for. */
  take(seq: number): "next" | "double" | "gap" {
    if (this.#isAsking || seq <= this.#seq) return "double";
    if (seq > this.#seq + 1 && seq > this.#toldTo + 1) {
      this.#beyondGap = seq;
      return "gap";
    }
    this.#seq = seq;
    return "next";
  }
}
