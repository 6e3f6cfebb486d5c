import type { Clock, Timer } from "../../time/clock.ts";

/** A value that is due may wait this long for the timer, so that the timer does not fire for each value alone. */
const MAX_DELAY_OF_SWEEP_MS = 1_000;
/** The longest that one timer sleeps; Node's own limit is 24 days, past which it fires at once. */
const MAX_TIMER_MS = 60 * 60_000;

/** So many places may be empty before the others move together. */
const MAX_EMPTY_PLACES = 64;

interface Place<Value> {
  /** Undefined once the value has left the place. */
  value: Value | undefined;
  touchedAt: number;
}

/**
 * Values in the order in which they were last touched, each of which is due a fixed time after that. One timer for
 * all of them, and none while the queue is empty.
 */
export class ExpiryQueue<Value> {
  readonly #clock: Clock;
  #delayMs: number;
  readonly #onDue: (value: Value) => void;
  /** In the order of `touchedAt`, so that a time is found in few steps. Values that were touched again leave their place empty. */
  #places: Place<Value>[] = [];
  readonly #placeOf = new Map<Value, Place<Value>>();
  /** All places before this one are empty. */
  #first = 0;
  #timer: Timer | undefined;

  /** A value has left the queue when `onDue` is called with it; `onDue` may touch it again. */
  constructor(clock: Clock, delayMs: number, onDue: (value: Value) => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#placeOf.size;
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
    const known = this.#placeOf.get(value);
    const last = this.#places.at(-1);
    // A time that was read a moment earlier than the last one does not put a value before others.
    const touchedAt = Math.max(now, last?.touchedAt ?? now);
    if (known !== undefined && known === last) known.touchedAt = touchedAt;
    else {
      if (known !== undefined) known.value = undefined;
      const place = { value, touchedAt };
      this.#placeOf.set(value, place);
      this.#places.push(place);
      this.#closeUp();
    }
    this.#arm();
  }

  delete(value: Value): void {
    const place = this.#placeOf.get(value);
    if (place === undefined) return;
    place.value = undefined;
    this.#placeOf.delete(value);
    this.#closeUp();
  }

  isDue(value: Value, now = this.#clock.monotonic()): boolean {
    const touchedAt = this.#placeOf.get(value)?.touchedAt;
    return touchedAt === undefined || touchedAt + this.#delayMs <= now;
  }

  /** The least recently touched first. What is touched or comes meanwhile may be left out. */
  *values(): IterableIterator<Value> {
    const places = this.#places;
    for (let index = this.#firstIndex(); index < places.length; index += 1) {
      const value = places[index]?.value;
      if (value !== undefined) yield value;
    }
  }

  /** Those that were last touched at this time of the monotonic clock, and before it, the most recently touched first. */
  *newestFirst(until = Infinity): IterableIterator<Value> {
    const places = this.#places;
    let [from, to] = [0, places.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((places[middle]?.touchedAt ?? 0) <= until) from = middle + 1;
      else to = middle;
    }
    for (let index = from - 1; index >= 0; index -= 1) {
      const value = places[index]?.value;
      if (value !== undefined) yield value;
    }
  }

  /** Hands out what is due now. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (;;) {
      const place = this.#places[this.#firstIndex()];
      if (place?.value === undefined || place.touchedAt + this.#delayMs > now) return;
      const { value } = place;
      this.delete(value);
      this.#onDue(value);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#placeOf.clear();
    this.#places = [];
    this.#first = 0;
  }

  #firstIndex(): number {
    while (this.#first < this.#places.length) {
      if (this.#places[this.#first]?.value !== undefined) break;
      this.#first += 1;
    }
    return this.#first;
  }

  /** Costs about as much as what has left its place since the last time. */
  #closeUp(): void {
    const empty = this.#places.length - this.#placeOf.size;
    if (empty <= MAX_EMPTY_PLACES + this.#placeOf.size) return;
    this.#places = this.#places.filter(({ value }) => value !== undefined);
    this.#first = 0;
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const first = this.#places[this.#firstIndex()];
    if (first === undefined) return;
    const untilDue = first.touchedAt + this.#delayMs - this.#clock.monotonic();
    const delay = Math.max(untilDue, Math.min(MAX_DELAY_OF_SWEEP_MS, this.#delayMs));
    this.#timer = this.#clock.setTimer(Math.min(delay, MAX_TIMER_MS), () => {
      this.#timer = undefined;
      this.sweep();
      this.#arm();
    });
  }
}
