import type { Clock } from "../../time/clock.ts";

export const DEFAULT_REQUESTS_PER_SECOND = 50;
export const DEFAULT_BURST = 100;

/** A request that waits with `later` goes when none waits with `now`, or when LATER_SHARE of those went before it. */
export type Priority = "now" | "later";
const LATER_SHARE = 10;

interface Waiter {
  readonly go: () => void;
}

/** A token bucket: `burst` requests at once, then `perSecond`. Requests of the same priority are served in order. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #waiting: Record<Priority, Set<Waiter>> = { now: new Set(), later: new Set() };
  #tokens: number;
  #at: number;
  #timer: { cancel(): void } | undefined;
  /** How many requests with `now` were served in a row while others waited. */
  #preferred = 0;

  constructor(options: { clock: Clock; perSecond: number; burst: number }) {
    this.#clock = options.clock;
    this.#perMs = options.perSecond / 1000;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#at = options.clock.monotonic();
  }

  /** Takes a token, and waits for one if there is none. Rejects with the reason of the signal. */
  async take(signal: AbortSignal, priority: Priority = "now"): Promise<void> {
    signal.throwIfAborted();
    this.#refill();
    const { now, later } = this.#waiting;
    if (this.#tokens >= 1 && now.size + later.size === 0) {
      this.#tokens -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const queue = this.#waiting[priority];
      const giveUp = (): void => {
        queue.delete(waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        go: () => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      signal.addEventListener("abort", giveUp, { once: true });
      queue.add(waiter);
      this.#schedule();
    });
  }

  #refill(): void {
    const at = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (at - this.#at) * this.#perMs);
    this.#at = at;
  }

  #schedule(): void {
    const { now, later } = this.#waiting;
    if (this.#timer !== undefined || now.size + later.size === 0) return;
    const wait = Math.max(0, Math.ceil((1 - this.#tokens) / this.#perMs));
    this.#timer = this.#clock.setTimer(wait, () => {
      this.#timer = undefined;
      this.#refill();
      this.#serve();
      this.#schedule();
    });
  }

  #serve(): void {
    const { now, later } = this.#waiting;
    while (this.#tokens >= 1 && now.size + later.size > 0) {
      const isLatersTurn = now.size === 0 || (later.size > 0 && this.#preferred >= LATER_SHARE);
      const queue = isLatersTurn ? later : now;
      this.#preferred = isLatersTurn ? 0 : this.#preferred + (later.size > 0 ? 1 : 0);
      const [waiter] = queue;
      if (waiter === undefined) return;
      queue.delete(waiter);
      this.#tokens -= 1;
      waiter.go();
    }
  }
}
