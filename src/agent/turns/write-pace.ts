import type { Clock, Timer } from "../../time/clock.ts";
import { MAX_WRITE_INTERVAL_MS, WRITE_INTERVAL_PER_STREAM_MS } from "../contracts/limits.ts";

/** A shorter wait saves less than its timer costs. */
const MIN_WRITE_INTERVAL_MS = 4;

/**
 * How often the turns of a replica write that stream. A few write whatever comes at once. The more there are, the longer each waits
 * between two writes, and those that wait write at the same time: so a replica under load writes to its store and to its clients
 * less often, and what it writes is longer.
 */
export class WritePace {
  readonly #clock: Pick<Clock, "monotonic" | "setTimer">;
  #streams = 0;
  #waiting = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, "monotonic" | "setTimer">) {
    this.#clock = clock;
  }

  /** A turn begins to stream. `leave` is to be called once when it has ended. */
  enter(): void {
    this.#streams += 1;
  }

  leave(): void {
    this.#streams -= 1;
  }

  /** The least time between two writes of one turn, in milliseconds; 0 when few turns stream. */
  get intervalMs(): number {
    const interval = Math.min(MAX_WRITE_INTERVAL_MS, this.#streams * WRITE_INTERVAL_PER_STREAM_MS);
    return interval < MIN_WRITE_INTERVAL_MS ? 0 : interval;
  }

  /** Calls `write` together with those of the other turns that wait, after no more than the interval, unless it is cancelled before. */
  wait(write: () => void): void {
    this.#waiting.add(write);
    if (this.#timer !== undefined) return;
    const interval = Math.max(MIN_WRITE_INTERVAL_MS, this.intervalMs);
    // The writes of all turns fall on one grid, so that the timer of one is that of all.
    const untilNext = interval - (this.#clock.monotonic() % interval);
    this.#timer = this.#clock.setTimer(untilNext, this.#writeAll);
  }

  cancel(write: () => void): void {
    this.#waiting.delete(write);
  }

  readonly #writeAll = (): void => {
    this.#timer = undefined;
    const writes = this.#waiting;
    this.#waiting = new Set();
    for (const write of writes) write();
  };
}
