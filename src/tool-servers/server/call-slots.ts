import type { Clock } from "../../time/clock.ts";

export interface CallSlotsOptions {
  readonly clock: Pick<Clock, "setTimer">;
  readonly maxParallel: number;
  readonly maxWaiting: number;
}

/** Bounds the calls that run at a time. Those beyond wait, and the first to come is the first to run. */
export class CallSlots {
  readonly #options: CallSlotsOptions;
  readonly #waiting = new Set<(entered: boolean) => void>();
  #taken = 0;

  constructor(options: CallSlotsOptions) {
    this.#options = options;
  }

  /**
   * Resolves to whether the call has a slot, which `leave` gives back. It has none when too many wait, or when the time is over.
   * Rejects with the reason of the signal when that aborts first.
   */
  async enter(waitMs: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const { clock, maxParallel, maxWaiting } = this.#options;
    if (this.#taken < maxParallel) {
      this.#taken += 1;
      return true;
    }
    if (this.#waiting.size >= maxWaiting) return false;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const onAbort = (): void => reject(signal.reason as Error);
    const timer = clock.setTimer(waitMs, () => resolve(false));
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(resolve);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(resolve);
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next(true);
  }
}
