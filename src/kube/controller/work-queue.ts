import type { Clock } from "../../time/clock.ts";
import { type Backoff, exponentialBackoff } from "../../time/backoff.ts";

export const FIRST_RETRY_MS = 5_000;
export const LAST_RETRY_MS = 5 * 60_000;

export interface WorkQueueOptions {
  clock: Clock;
  /** Delay before the next try of a key that failed `failures` times in a row (1, 2, …), in milliseconds. */
  backoff?: Backoff | undefined;
  observer?: WorkQueueObserver;
}

/** Is called when something happens in a queue, for metrics. */
export interface WorkQueueObserver {
  onAdd(): void;
  onTake(waitedSeconds: number): void;
  onDone(workedSeconds: number): void;
  onRetry(): void;
}

/**
 * Keys that wait for a worker. A key is held once, however often it is added. A key that a worker has is handed out again only after
 * `done`, so that no two workers ever have the same one. A key says that its object needs work, never what happened to it.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #observer: WorkQueueObserver | undefined;
  /** Key → since when it waits, in order of arrival. */
  readonly #ready = new Map<string, number>();
  /** Key → since when a worker has it. */
  readonly #working = new Map<string, number>();
  /** The keys that were added again while a worker had them. */
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

  /** The number of keys that can be taken now. */
  get depth(): number {
    return this.#ready.size;
  }

  /** The number of keys that wait until their delay is over. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** The sum of the times that workers have had their keys so far. */
  get unfinishedSeconds(): number {
    const now = this.#clock.monotonic();
    let sum = 0;
    for (const since of this.#working.values()) sum += now - since;
    return sum / 1000;
  }

  /** The longest time that a worker has had its key so far. */
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

  /** When a key has a delay already, the one that is over sooner counts. */
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

  /** Resolves to the next key when there is one, and to `undefined` when the queue is closed. The caller must call `done` with it. */
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

  /** From now on no key is handed out. Delayed keys are dropped. */
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
