import type { Clock } from "./clock.ts";

export const DEFAULT_REQUESTS_PER_SECOND = 50;
export const DEFAULT_BURST = 100;

/** A token bucket: `burst` requests at once, then `perSecond`. Waiters are served in order. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(options: { clock: Clock; perSecond: number; burst: number }) {
    this.#clock = options.clock;
    this.#perMs = options.perSecond / 1000;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#at = options.clock.monotonic();
  }

  /** Takes a token, in advance if there is none, and waits until it is due. */
  async take(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    try {
      await this.#clock.sleep(Math.ceil(-this.#tokens / this.#perMs), signal);
    } catch (error) {
      this.#tokens += 1;
      throw error;
    }
  }
}
