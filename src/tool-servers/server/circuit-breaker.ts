import type { Clock } from "../../time/clock.ts";

/** `unknown`: the call was cancelled, or never reached the server. */
export type CallResult = "answered" | "failed" | "unknown";

export interface CircuitBreakerOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** After so many failures in a row the server is left alone. */
  readonly maxFailures: number;
  readonly restMs: number;
}

/**
 * Leaves a server alone that failed again and again, so that no turn waits for what will not come. After a while one call tries it,
 * and the others follow when that one is answered.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #failures = 0;
  #restsUntil = 0;
  #isTried = false;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** Whether a call may be made now. Its result is then told to `ended`. */
  mayCall(): boolean {
    const { clock, maxFailures } = this.#options;
    if (this.#failures < maxFailures) return true;
    if (this.#isTried || clock.monotonic() < this.#restsUntil) return false;
    this.#isTried = true;
    return true;
  }

  ended(result: CallResult): void {
    const { clock, maxFailures, restMs } = this.#options;
    this.#isTried = false;
    if (result === "answered") this.#failures = 0;
    if (result !== "failed") return;
    this.#failures += 1;
    if (this.#failures >= maxFailures) this.#restsUntil = clock.monotonic() + restMs;
  }
}
