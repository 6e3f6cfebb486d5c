/** The time of the page, as whoever shows an age follows it. One timer for all of them, which rests while nobody follows. */
import { useSyncExternalStore } from "react";
import { systemClock, type Clock, type Timer } from "../../time/clock.ts";

const STEP_MS = 1_000;

class Ticker {
  readonly #clock: Pick<Clock, "now" | "setTimer">;
  readonly #listeners = new Set<() => void>();
  #timer: Timer | undefined;
  #now: number;

  constructor(clock: Pick<Clock, "now" | "setTimer">) {
    this.#clock = clock;
    this.#now = clock.now();
  }

  readonly now = (): number => this.#now;

  readonly follow = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) {
      this.#now = this.#clock.now();
      this.#tick();
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#timer?.cancel();
    };
  };

  #tick(): void {
    this.#timer = this.#clock.setTimer(STEP_MS, () => {
      this.#now = this.#clock.now();
      for (const listener of this.#listeners) listener();
      this.#tick();
    });
  }
}

const ticker = new Ticker(systemClock);

/** Milliseconds since 1970, which go on by the step. */
export function useNow(stepMs: number = STEP_MS): number {
  return useSyncExternalStore(ticker.follow, () => Math.floor(ticker.now() / stepMs) * stepMs);
}
