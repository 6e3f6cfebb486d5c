import type { Clock, Timer } from "../../observability/clock.ts";

/** How long what is due may lie before the timer comes to it, so that the timer does not fire for each value alone. */
const MAX_DELAY_OF_SWEEP_MS = 1_000;
/** The longest that one timer sleeps; Node's own limit is 24 days, past which it fires at once. */
const MAX_TIMER_MS = 60 * 60_000;

/**
 * Values in the order in which they were last touched, each of which is due a fixed time after that. One timer for
 * all of them, and none while the queue is empty.
 */
export class ExpiryQueue<Value> {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #onDue: (value: Value) => void;
  readonly #dueAt = new Map<Value, number>();
  #timer: Timer | undefined;

  /** A value has left the queue when `onDue` is called with it; `onDue` may touch it again. */
  constructor(clock: Clock, delayMs: number, onDue: (value: Value) => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#dueAt.size;
  }

  touch(value: Value): void {
    this.#dueAt.delete(value);
    this.#dueAt.set(value, this.#clock.monotonic() + this.#delayMs);
    this.#arm();
  }

  delete(value: Value): void {
    this.#dueAt.delete(value);
  }

  isDue(value: Value): boolean {
    const dueAt = this.#dueAt.get(value);
    return dueAt === undefined || dueAt <= this.#clock.monotonic();
  }

  /** The least recently touched first. */
  values(): IterableIterator<Value> {
    return this.#dueAt.keys();
  }

  /** Hands out what is due now. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [value, dueAt] of this.#dueAt) {
      if (dueAt > now) break;
      this.#dueAt.delete(value);
      this.#onDue(value);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#dueAt.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const first = this.#dueAt.values().next().value;
    if (first === undefined) return;
    const untilDue = first - this.#clock.monotonic();
    const delay = Math.max(untilDue, Math.min(MAX_DELAY_OF_SWEEP_MS, this.#delayMs));
    this.#timer = this.#clock.setTimer(Math.min(delay, MAX_TIMER_MS), () => {
      this.#timer = undefined;
      this.sweep();
      this.#arm();
    });
  }
}
