import type { Cache, CacheChange } from "../watch/cache.ts";
import type { Clock } from "../../time/clock.ts";
import { keyOf, type KubernetesObject } from "../client/object.ts";
import { WorkQueue } from "./work-queue.ts";

export const DEFAULT_WORKERS = 4;

/** `requeueAfterMs`: look at the key again then, whatever happens. */
export interface ReconcileResult {
  requeueAfterMs?: number;
}

/** Trying again changes nothing until the object does: the key is not taken up by itself. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
}

/**
 * Brings the world to what one object asks for. Level-based: it is told a key and nothing else, may be called with nothing to
 * do, and a key is never worked on twice at once. To throw means to be called again after a backoff.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>;

export type ReconcileOutcome = "success" | "requeue_after" | "error" | "terminal_error";

export interface ControllerOptions {
  name: string;
  reconcile: Reconcile;
  workers?: number;
  clock: Clock;
  queue?: WorkQueue;
  /** Every object of the sources is looked at again this often, though nothing was told of it. */
  resyncMs?: number;
  onReconciled?: (done: {
    key: string;
    outcome: ReconcileOutcome;
    seconds: number;
    error?: unknown;
    retryInMs?: number;
  }) => void;
}

export class Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #ownKeys: (() => Iterable<string>)[] = [];
  readonly #subscriptions: (() => void)[] = [];
  #active = 0;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.#options = options;
    this.queue = options.queue ?? new WorkQueue({ clock: options.clock });
  }

  get workers(): number {
    return this.#options.workers ?? DEFAULT_WORKERS;
  }

  get activeWorkers(): number {
    return this.#active;
  }

  /** The kind that this controller is for: its own keys are worked on. */
  owns<T extends KubernetesObject>(cache: Cache<T>): this {
    this.#ownKeys.push(function* () {
      for (const object of cache.all()) yield keyOf(object.metadata);
    });
    return this.watches(cache, (object) => [keyOf(object.metadata)]);
  }

  /**
   * Another kind: a change of an object leads to these keys. Both what it was and what it is are asked, for a reference
   * that was taken away concerns the one who lost it.
   */
  watches<T extends KubernetesObject>(
    cache: Cache<T>,
    keysOf: (object: T) => Iterable<string>,
    concerns: (change: CacheChange<T>) => boolean = () => true,
  ): this {
    const unsubscribe = cache.subscribe((change) => {
      if (!concerns(change)) return;
      const keys = new Set<string>();
      for (const object of [change.before, change.after]) {
        if (object !== undefined) for (const key of keysOf(object)) keys.add(key);
      }
      for (const key of keys) this.queue.add(key);
    });
    this.#subscriptions.push(unsubscribe);
    return this;
  }

  /** Works until the signal is aborted, and resolves once no worker is busy. It then is told nothing more, and cannot run again. */
  async run(signal: AbortSignal): Promise<void> {
    const close = (): void => {
      this.queue.close();
      for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    };
    if (signal.aborted) return close();
    signal.addEventListener("abort", close, { once: true });
    for (const keys of this.#ownKeys) for (const key of keys()) this.queue.add(key);
    const workers = Array.from({ length: this.workers }, () => this.#work(signal));
    if (this.#options.resyncMs !== undefined)
      workers.push(this.#resync(this.#options.resyncMs, signal));
    await Promise.all(workers);
    signal.removeEventListener("abort", close);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.take();
      if (key === undefined) return;
      this.#active += 1;
      try {
        await this.#reconcile(key, signal);
      } finally {
        this.#active -= 1;
        this.queue.done(key);
      }
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { clock, reconcile, onReconciled } = this.#options;
    const begun = clock.monotonic();
    const seconds = (): number => (clock.monotonic() - begun) / 1000;
    try {
      const result = await reconcile(key, signal);
      this.queue.forget(key);
      if (result?.requeueAfterMs === undefined) {
        onReconciled?.({ key, outcome: "success", seconds: seconds() });
        return;
      }
      this.queue.addAfter(key, result.requeueAfterMs);
      onReconciled?.({ key, outcome: "requeue_after", seconds: seconds() });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TerminalError) {
        this.queue.forget(key);
        onReconciled?.({ key, outcome: "terminal_error", seconds: seconds(), error });
        return;
      }
      const retryInMs = this.queue.addFailed(key);
      onReconciled?.({ key, outcome: "error", seconds: seconds(), error, retryInMs });
    }
  }

  async #resync(everyMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#options.clock.sleep(everyMs, signal);
      } catch {
        return;
      }
      for (const keys of this.#ownKeys) for (const key of keys()) this.queue.add(key);
    }
  }
}
