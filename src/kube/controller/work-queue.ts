import type { Clock } from "../../time/clock.ts";
import { type Backoff, exponentialBackoff } from "../../time/backoff.ts";

export const FIRST_RETRY_MS = 5_000;
export const LAST_RETRY_MS = 5 * 60_000;

export interface WorkQueueOptions {
  clock: Clock;
  /** Delay before the next try of a key that failed `failures` times in a row (1, 2, …), in milliseconds. */
  backoff?: Backoff;
  observer?: WorkQueueObserver;
}

/** Is told what happens in a queue, for metrics. */
export interface WorkQueueObserver {
  onAdd(): void;
  onTake(waitedSeconds: number): void;
  onDone(workedSeconds: number): void;
  onRetry(): void;
}

/**
 * Keys that wait for a worker. A key is held once however often it is added; a key that is being worked on is handed
 * out again only after `done`, so no two workers ever have the same one. Level-based: a key says "look at this object",
 * never what happened to it.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #observer: WorkQueueObserver | undefined;
  /** Key → since when it waits, in order of arrival: a Map keeps it and refuses doubles. */
  readonly #ready = new Map<string, number>();
  /** Key → since when it is worked on. */
  readonly #working = new Map<string, number>();
  /** Added again while being worked on. */
  readonly #dirty = new Set<string>();
  readonly #delayed = new Map<string, { at: number; timer: { cancel(): void } }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#backoff =
      options.backoff ?? exponentialBackoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
    this.#observer = options.observer;
  }

  /** Keys that could be taken now. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** How long the keys that are being worked on have taken so far, in sum. */
  get unfinishedSeconds(): number {
    const now = this.#clock.monotonic();
    let sum = 0;
    for (const since of this.#working.values()) sum += now - since;
    return sum / 1000;
  }

  /** How long the key that is longest worked on has taken so far. */
  get longestSeconds(): number {
    const now = this.#clock.monotonic();
    let longest = 0;
    for (const since of this.#working.values()) longest = Math.max(longest, now - since);
    return longest / 1000;
  }

  add(key: string): void {
    if (this.#closed) return;
    this.#dropDelayed(key);
    if (this.#working.has(key)) {
      if (!this.#dirty.has(key)) this.#observer?.onAdd();
      this.#dirty.add(key);
      return;
    }
    if (this.#ready.has(key)) return;
    this.#observer?.onAdd();
    this.#ready.set(key, this.#clock.monotonic());
    this.#serve();
  }

  /** Of two delays of a key the sooner holds. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) return this.add(key);
    const at = this.#clock.monotonic() + delayMs;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined) {
      if (waiting.at <= at) return;
      waiting.timer.cancel();
    }
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, timer });
  }

  /** Adds the key after its backoff, which grows with every failure until `forget`. Returns the delay. */
  addFailed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delay = this.#backoff(failures);
    this.#observer?.onRetry();
    this.addAfter(key, delay);
    return delay;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one; `undefined` when the queue was closed. The taker owes a `done`. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  done(key: string): void {
    const since = this.#working.get(key);
    if (since === undefined) return;
    this.#working.delete(key);
    const now = this.#clock.monotonic();
    this.#observer?.onDone((now - since) / 1000);
    if (!this.#dirty.delete(key) || this.#closed) return;
    this.#dropDelayed(key);
    this.#ready.set(key, now);
    this.#serve();
  }

  /** Nothing is handed out from now on; what is delayed is dropped. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#delayed.values()) waiting.timer.cancel();
    this.#delayed.clear();
    this.#ready.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #dropDelayed(key: string): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const next = this.#ready.entries().next();
      if (next.done === true) return;
      const [key, since] = next.value;
      const now = this.#clock.monotonic();
      this.#ready.delete(key);
      this.#working.set(key, now);
      this.#observer?.onTake((now - since) / 1000);
      this.#takers.shift()?.(key);
    }
  }
}
