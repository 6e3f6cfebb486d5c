import type { Clock } from "../../observability/clock.ts";
import type { Limits } from "../limits.ts";

type RateLimits = Pick<Limits, "messagesPerSecond" | "messageBurst">;

/** A bucket of tokens that fills again over time. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #limits: () => RateLimits;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, limits: () => RateLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#tokens = limits().messageBurst;
    this.#filledAt = clock.monotonic();
  }

  take(): boolean {
    // The clock is asked only when it matters.
    if (this.#tokens < 1) this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  giveBack(): void {
    this.#tokens = Math.min(this.#limits().messageBurst, this.#tokens + 1);
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    const { messagesPerSecond, messageBurst } = this.#limits();
    const grown = ((now - this.#filledAt) / 1_000) * messagesPerSecond;
    this.#tokens = Math.min(messageBurst, this.#tokens + grown);
    this.#filledAt = now;
  }
}
