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
 * Why a key waits. `change`: somebody has changed its object. `related`: something that belongs to the object or that it refers to
 * has changed. `resync`: everything is looked at again.
 */
export const WORK_PRIORITIES = ["change", "related", "resync"] as const;
export type WorkPriority = (typeof WORK_PRIORITIES)[number];

/** After so many keys that went before it, one of a lower priority has its turn: what waits must not wait for ever. */
export const LOWER_SHARE = 8;

interface Taker {
  readonly resolve: (key: string | undefined) => void;
  readonly takes: "all" | "changes";
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
  readonly #ready: Readonly<Record<WorkPriority, Map<string, number>>> = {
    change: new Map(),
    related: new Map(),
    resync: new Map(),
  };
  /** How many keys went before those that wait with this priority, since the last one of them was taken. */
  readonly #passed: Record<WorkPriority, number> = { change: 0, related: 0, resync: 0 };
  /** The keys that workers have, and since when. */
  readonly #working = new Map<string, { since: number; priority: WorkPriority }>();
  /** The keys that were added again while a worker had them. */
  readonly #dirty = new Map<string, WorkPriority>();
  readonly #delayed = new Map<
    string,
    { at: number; priority: WorkPriority; timer: { cancel(): void } }
  >();
  readonly #failures = new Map<string, number>();
  readonly #takers: Taker[] = [];
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#backoff =
      options.backoff ?? exponentialBackoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
    this.#observer = options.observer;
  }

  /** The number of keys that can be taken now. */
  get depth(): number {
    return WORK_PRIORITIES.reduce((sum, priority) => sum + this.#ready[priority].size, 0);
  }

  /** The number of keys that wait until their delay is over. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** The sum of the times that workers have had their keys so far. */
  get unfinishedSeconds(): number {
    const now = this.#clock.monotonic();
    let sum = 0;
    for (const { since } of this.#working.values()) sum += now - since;
    return sum / 1000;
  }

  /** The longest time that a worker has had its key so far. */
  get longestSeconds(): number {
    const now = this.#clock.monotonic();
    let longest = 0;
    for (const { since } of this.#working.values()) longest = Math.max(longest, now - since);
    return longest / 1000;
  }

  /** A key that waits already goes up to this priority if it had a lower one. */
  add(key: string, priority: WorkPriority = "related"): void {
    if (this.#closed) return;
    const wanted = higher(priority, this.#dropDelayed(key));
    if (this.#working.has(key)) {
      if (!this.#dirty.has(key)) this.#observer?.onAdd();
      this.#dirty.set(key, higher(wanted, this.#dirty.get(key)));
      return;
    }
    const before = WORK_PRIORITIES.find((one) => this.#ready[one].has(key));
    if (before !== undefined && higher(wanted, before) === before) return;
    const since = before === undefined ? undefined : this.#ready[before].get(key);
    if (before !== undefined) this.#ready[before].delete(key);
    else this.#observer?.onAdd();
    this.#ready[wanted].set(key, since ?? this.#clock.monotonic());
    this.#serve();
  }

  /** Why a worker has the key, and `undefined` when none has it. */
  priorityOf(key: string): WorkPriority | undefined {
    return this.#working.get(key)?.priority;
  }

  /** When a key has a delay already, the one that is over sooner counts. */
  addAfter(key: string, delayMs: number, priority: WorkPriority = "related"): void {
    if (this.#closed) return;
    if (delayMs <= 0) return this.add(key, priority);
    const at = this.#clock.monotonic() + delayMs;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined) {
      if (waiting.at <= at) return;
      waiting.timer.cancel();
    }
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key, priority);
    });
    this.#delayed.set(key, { at, priority, timer });
  }

  /** Adds the key after its backoff, which grows with every failure until `forget`. Returns the delay. */
  addFailed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delay = this.#backoff(failures);
    this.#observer?.onRetry();
    // A change that could not be carried out is still one.
    this.addAfter(key, delay, this.priorityOf(key));
    return delay;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Resolves to the next key when there is one, and to `undefined` when the queue is closed. The caller must call `done` with it. */
  take(takes: Taker["takes"] = "all"): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push({ resolve, takes });
      this.#serve();
    });
  }

  done(key: string): void {
    const worked = this.#working.get(key);
    if (worked === undefined) return;
    this.#working.delete(key);
    const now = this.#clock.monotonic();
    this.#observer?.onDone((now - worked.since) / 1000);
    const again = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (again === undefined || this.#closed) return;
    this.#ready[higher(again, this.#dropDelayed(key))].set(key, now);
    this.#serve();
  }

  /** From now on no key is handed out. Delayed keys are dropped. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#delayed.values()) waiting.timer.cancel();
    this.#delayed.clear();
    for (const priority of WORK_PRIORITIES) this.#ready[priority].clear();
    for (const { resolve } of this.#takers.splice(0)) resolve(undefined);
  }

  /** Answers why the key was to be added later, if it was. */
  #dropDelayed(key: string): WorkPriority | undefined {
    const waiting = this.#delayed.get(key);
    waiting?.timer.cancel();
    this.#delayed.delete(key);
    return waiting?.priority;
  }

  #serve(): void {
    for (;;) {
      const priority = this.#nextPriority();
      if (priority === undefined) return;
      const at = this.#takers.findIndex(({ takes }) => takes === "all" || priority === "change");
      const [taker] = at < 0 ? [] : this.#takers.splice(at, 1);
      const [next] = this.#ready[priority];
      if (taker === undefined || next === undefined) return;
      const [key, since] = next;
      const now = this.#clock.monotonic();
      this.#ready[priority].delete(key);
      for (const one of WORK_PRIORITIES) if (this.#ready[one].size > 0) this.#passed[one] += 1;
      this.#passed[priority] = 0;
      this.#working.set(key, { since: now, priority });
      this.#observer?.onTake((now - since) / 1000);
      taker.resolve(key);
    }
  }

  /** Whose turn it is: those with the highest priority, unless others were passed over too often and a worker takes them. */
  #nextPriority(): WorkPriority | undefined {
    const waiting = WORK_PRIORITIES.filter((priority) => this.#ready[priority].size > 0);
    const takesAll = this.#takers.some(({ takes }) => takes === "all");
    const overdue = waiting.find(
      (priority) => this.#passed[priority] >= LOWER_SHARE && priority !== waiting[0],
    );
    return takesAll ? (overdue ?? waiting[0]) : waiting.find((priority) => priority === "change");
  }
}

function higher(one: WorkPriority, other: WorkPriority | undefined): WorkPriority {
  if (other === undefined) return one;
  return WORK_PRIORITIES.indexOf(one) <= WORK_PRIORITIES.indexOf(other) ? one : other;
}
