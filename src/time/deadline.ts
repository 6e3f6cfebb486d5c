import type { Clock, Timer } from "./clock.ts";

export interface DeadlineOptions {
  readonly ms: number;
  readonly clock: Pick<Clock, "setTimer">;
  /** Aborts the deadline early, with its own reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A signal that aborts after a time, or with another signal. The parts of `AbortSignal.any` with `AbortSignal.timeout` would live
 * on until the time is over. A deadline leaves nothing behind once it is disposed of.
 */
export class Deadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #onParentAbort = (): void => this.#abort.abort(this.#parent?.reason);
  readonly #timer: Timer | undefined;
  #isOver = false;

  constructor({ ms, clock, signal }: DeadlineOptions) {
    this.#parent = signal;
    if (signal?.aborted === true) {
      this.#abort.abort(signal.reason);
      return;
    }
    signal?.addEventListener("abort", this.#onParentAbort, { once: true });
    this.#timer = clock.setTimer(ms, () => {
      this.#isOver = true;
      this.#abort.abort(new DOMException("The time for it is over.", "TimeoutError"));
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether the time was over before the other signal aborted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#parent?.removeEventListener("abort", this.#onParentAbort);
  }
}
