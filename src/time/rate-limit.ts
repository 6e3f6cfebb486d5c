import type { Clock } from "./clock.ts";

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A bucket of tokens that fills again over time. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #rate: () => Rate;
  #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, rate: () => Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#burst = rate().burst;
    this.#tokens = this.#burst;
    this.#filledAt = clock.monotonic();
  }

  take(): boolean {
    // The clock and the rate are only asked when the tokens have run out.
    if (this.#tokens < 1) this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    const { perSecond, burst } = this.#rate();
    const grown = ((now - this.#filledAt) / 1_000) * perSecond;
    this.#burst = burst;
    this.#tokens = Math.min(burst, this.#tokens + grown);
    this.#filledAt = now;
  }
}
