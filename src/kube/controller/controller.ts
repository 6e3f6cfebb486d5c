import type { Cache, CacheChange } from "../watch/cache.ts";
import type { Clock } from "../../time/clock.ts";
import { keyOf, type KubernetesObject } from "../client/object.ts";
import { withRequestPriority } from "../client/request-priority.ts";
import { PassStarts } from "./pass-starts.ts";
import { WorkQueue, type WorkPriority } from "./work-queue.ts";

export const DEFAULT_WORKERS = 4;
/** One worker in so many takes nothing but changes, so that these never wait until other work has come to its end. */
const WORKERS_PER_RESERVED_ONE = 4;

/** `requeueAfterMs`: the key is reconciled again after that time, even if nothing changes. */
export interface ReconcileResult {
  requeueAfterMs?: number | undefined;
}

/** Another try fails too until the object changes, so the key is not tried again before. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
}

/**
 * Brings the world to what one object asks for. It is level-based: it gets a key and no event, and may be called with nothing to do.
 * It never runs twice at once for the same key. When it rejects, it is called again after a backoff.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>;

export type ReconcileOutcome = "success" | "requeue_after" | "error" | "terminal_error";

export interface ControllerOptions {
  name: string;
  reconcile: Reconcile;
  workers?: number | undefined;
  clock: Clock;
  queue?: WorkQueue | undefined;
  /** Every object of the own kinds is reconciled again after this time, even if nothing changed. */
  resyncMs?: number | undefined;
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
  readonly #starts = new PassStarts();
  #active = 0;
  #isRunning = false;

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

  /** For the kind that this controller reconciles: a change of an object leads to its own key, if it concerns the controller. */
  owns<T extends KubernetesObject>(
    cache: Cache<T>,
    concerns: (change: CacheChange<T>) => boolean = () => true,
  ): this {
    this.#ownKeys.push(function* () {
      for (const object of cache.all()) yield keyOf(object.metadata);
    });
    return this.#follow(
      cache,
      (object) => [keyOf(object.metadata)],
      (change) => {
        if (!concerns(change)) return undefined;
        return isChangeByOthers(change) ? "change" : "related";
      },
    );
  }

  /**
   * For another kind: a change of an object leads to the keys that `keysOf` gives for the object as it was and as it is. An object
   * that has lost a reference to another one concerns that one too.
   */
  watches<T extends KubernetesObject>(
    cache: Cache<T>,
    keysOf: (object: T) => Iterable<string>,
    concerns: (change: CacheChange<T>) => boolean = () => true,
  ): this {
    return this.#follow(cache, keysOf, (change) => (concerns(change) ? "related" : undefined));
  }

  /** `priorityOf` answers `undefined` for a change that concerns nobody. */
  #follow<T extends KubernetesObject>(
    cache: Cache<T>,
    keysOf: (object: T) => Iterable<string>,
    priorityOf: (change: CacheChange<T>) => WorkPriority | undefined,
  ): this {
    const unsubscribe = cache.subscribe((change) => {
      const priority = priorityOf(change);
      if (priority === undefined) return;
      const keys = new Set<string>();
      for (const object of [change.before, change.after]) {
        if (object !== undefined) for (const key of keysOf(object)) keys.add(key);
      }
      // What comes before the controller runs was there before it: nobody has just changed it.
      for (const key of keys) this.queue.add(key, this.#isRunning ? priority : "resync");
    });
    this.#subscriptions.push(unsubscribe);
    return this;
  }

  /** Works until the signal is aborted, and resolves when no worker is busy any more. A controller runs once. */
  async run(signal: AbortSignal): Promise<void> {
    const close = (): void => {
      this.queue.close();
      for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    };
    if (signal.aborted) return close();
    signal.addEventListener("abort", close, { once: true });
    this.#addAll();
    this.#isRunning = true;
    const reserved = Math.floor(this.workers / WORKERS_PER_RESERVED_ONE);
    const workers = Array.from({ length: this.workers }, (_, index) =>
      this.#work(index < reserved ? "changes" : "all", signal),
    );
    if (this.#options.resyncMs !== undefined)
      workers.push(this.#resync(this.#options.resyncMs, signal));
    await Promise.all(workers);
    signal.removeEventListener("abort", close);
  }

  #addAll(): void {
    for (const keys of this.#ownKeys) for (const key of keys()) this.queue.add(key, "resync");
  }

  async #work(takes: "all" | "changes", signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.take(takes);
      if (key === undefined) return;
      const urgency = this.queue.priorityOf(key) === "change" ? "now" : "later";
      this.#active += 1;
      try {
        // A pass that finds nothing to do waits for nothing: a thousand of them must not keep everything else waiting.
        await this.#starts.next(urgency);
        await withRequestPriority(urgency, () => this.#reconcile(key, signal));
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
      this.#addAll();
    }
  }
}

/** Whether an object is new, gone or to be deleted, or asks for something else. What a controller writes is its status. */
function isChangeByOthers<T extends KubernetesObject>({ before, after }: CacheChange<T>): boolean {
  if (before === undefined || after === undefined) return true;
  const [was, is] = [before.metadata, after.metadata];
  return was.generation !== is.generation || was.deletionTimestamp !== is.deletionTimestamp;
}
