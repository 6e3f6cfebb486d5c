import type { Clock, Timer } from "../../time/clock.ts";

/** A value that is due may wait this long for the timer, so that the timer does not fire for each value alone. */
const MAX_DELAY_OF_SWEEP_MS = 1_000;
/** The longest that one timer sleeps; Node's own limit is 24 days, past which it fires at once. */
const MAX_TIMER_MS = 60 * 60_000;

/**
 * Values in the order in which they were last touched, each of which is due a fixed time after that. One timer for
 * all of them, and none while the queue is empty.
 */
export class ExpiryQueue<Value> {
  readonly #clock: Clock;
  #delayMs: number;
  readonly #onDue: (value: Value) => void;
  readonly #touchedAt = new Map<Value, number>();
  /** The value that was touched last, which keeps its place when it is touched again: to move it costs more than the rest. */
  #newest: Value | undefined;
  #timer: Timer | undefined;

  /** A value has left the queue when `onDue` is called with it; `onDue` may touch it again. */
  constructor(clock: Clock, delayMs: number, onDue: (value: Value) => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#touchedAt.size;
  }

  /** Holds for what is in the queue too. */
  setDelay(delayMs: number): void {
    if (delayMs === this.#delayMs) return;
    this.#delayMs = delayMs;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#arm();
  }

  /** `now` is the time of the monotonic clock, which whoever has it already spares. */
  touch(value: Value, now = this.#clock.monotonic()): void {
    if (value !== this.#newest) {
      this.#touchedAt.delete(value);
      this.#newest = value;
    }
    this.#touchedAt.set(value, now);
    this.#arm();
  }

  delete(value: Value): void {
    this.#touchedAt.delete(value);
    if (value === this.#newest) this.#newest = undefined;
  }

  isDue(value: Value, now = this.#clock.monotonic()): boolean {
    const touchedAt = this.#touchedAt.get(value);
    return touchedAt === undefined || touchedAt + this.#delayMs <= now;
  }

  /** The least recently touched first. */
  values(): IterableIterator<Value> {
    return this.#touchedAt.keys();
  }

  /** Hands out what is due now. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [value, touchedAt] of this.#touchedAt) {
      if (touchedAt + this.#delayMs > now) break;
      this.delete(value);
      this.#onDue(value);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#touchedAt.clear();
    this.#newest = undefined;
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const first = this.#touchedAt.values().next().value;
    if (first === undefined) return;
    const untilDue = first + this.#delayMs - this.#clock.monotonic();
    const delay = Math.max(untilDue, Math.min(MAX_DELAY_OF_SWEEP_MS, this.#delayMs));
    this.#timer = this.#clock.setTimer(Math.min(delay, MAX_TIMER_MS), () => {
      this.#timer = undefined;
      this.sweep();
      this.#arm();
    });
  }
}
