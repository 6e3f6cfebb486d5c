/**
 * When what has come is shown. Once a frame of the screen is enough for the eye; where showing it takes long, the page is given
 * four times as long for everything else before it shows more.
 */
import type { Clock, Timer } from "../../time/clock.ts";

/** How much longer than the last showing the page waits before the next. */
const REST_FACTOR = 4;
/** The longest wait. A hidden page draws no frames, and is to be up to date when it is looked at. */
const MAX_WAIT_MS = 250;

export interface FlushScheduleOptions {
  readonly clock: Pick<Clock, "monotonic" | "setTimer">;
  /** Calls back before the next frame is drawn. */
  readonly onNextFrame: (callback: () => void) => void;
  /** Shows what has come, and returns when that is done. */
  readonly flush: () => void;
}

export class FlushSchedule {
  readonly #options: FlushScheduleOptions;
  #isAsked = false;
  #timer: Timer | undefined;
  #isClosed = false;
  #restUntil = 0;

  constructor(options: FlushScheduleOptions) {
    this.#options = options;
  }

  /** Something has come. */
  ask(): void {
    if (this.#isAsked || this.#isClosed) return;
    this.#isAsked = true;
    const { clock } = this.#options;
    const rest = Math.min(this.#restUntil - clock.monotonic(), MAX_WAIT_MS);
    if (rest <= 0) this.#atNextFrame();
    else this.#timer = clock.setTimer(rest, () => this.#atNextFrame());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #atNextFrame(): void {
    const { clock, onNextFrame } = this.#options;
    let isDone = false;
    const once = (): void => {
      if (isDone) return;
      isDone = true;
      this.#timer?.cancel();
      this.#flush();
    };
    this.#timer = clock.setTimer(MAX_WAIT_MS, once);
    onNextFrame(once);
  }

  #flush(): void {
    if (this.#isClosed) return;
    const { clock, flush } = this.#options;
    this.#isAsked = false;
    const from = clock.monotonic();
    flush();
    const cost = clock.monotonic() - from;
    this.#restUntil = clock.monotonic() + REST_FACTOR * cost;
  }
}
