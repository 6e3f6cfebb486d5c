/** Which frames of a session a client has had: each one is given on once, in order of `seq`, and none is left out. */
export class FrameOrder {
  /** The last `seq` that was given on. */
  #seq: number;
  /** The server was asked for what follows `#seq`, and its answer has not begun. */
  #isAsking = false;
  /** Of the frames up to here the server has sent all that it still has. */
  #toldTo = 0;
  /** The frame that showed a gap. */
  #beyondGap = 0;

  constructor(seq: number) {
    this.#seq = seq;
  }

  get seq(): number {
    return this.#seq;
  }

  /** The frames after `seq` are asked for; what comes before the answer comes again with it. */
  ask(): void {
    this.#isAsking = true;
  }

  /** The answer begins. `lastSeq`: the last one that the server knows of. */
  answered(lastSeq: number): void {
    this.#isAsking = false;
    this.#toldTo = Math.max(lastSeq, this.#beyondGap);
    // A store that lost its last writes counts on from where it is.
    this.#seq = Math.min(this.#seq, lastSeq);
  }

  /** `gap`: frames are missing before this one, which have to be asked for. */
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
