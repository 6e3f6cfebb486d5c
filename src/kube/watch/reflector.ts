import { ApiError, isExpired } from "../client/api-error.ts";
import { exponentialBackoff, jittered } from "../../time/backoff.ts";
import type { Cache } from "./cache.ts";
import type { KubeClient, WatchEvent } from "../client/client.ts";
import type { Clock } from "../../time/clock.ts";
import { keyOf, type KubernetesObject, type ResourceType } from "../client/object.ts";

/** Objects asked for in one page of a list. */
export const PAGE_SIZE = 500;
/** A watch is ended by the server after between one and two of these, so that not all of them end at once. */
export const WATCH_SECONDS = 300;
const FIRST_BACKOFF_MS = 250;
/** A server that was away for long is found again within this. */
const LAST_BACKOFF_MS = 10_000;
/** A server that asks for more is asked again nevertheless. */
const LONGEST_RETRY_AFTER_MS = 30_000;
/** A watch that lived this long, or told of anything, was a good one: what failed before it is forgiven. */
const HEALTHY_WATCH_MS = 10_000;

export interface ReflectorOptions<T extends KubernetesObject> {
  client: KubeClient;
  type: ResourceType;
  cache: Cache<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  metadataOnly?: boolean;
  /** What of an object is kept. Its name, namespace, uid and resourceVersion must stay. */
  transform?: ((object: T) => T) | undefined;
  clock: Clock;
  random: () => number;
  /** Every error is told here, and then tried again. */
  onError: (error: unknown) => void;
}

/**
 * Keeps a cache equal to what the API server has of one kind: a list in pages, then a watch from where the list was taken.
 * Never gives up: every error leads to another try after a jittered backoff, and an expired resourceVersion to a fresh list.
 */
export class Reflector<T extends KubernetesObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #resourceVersion: string | undefined;
  /** Whether the watch has told of anything. */
  #hasProgressed = false;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** Resolves after the first whole list. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Runs until the signal is aborted, and then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, onError } = this.#options;
    const backoff = jittered(
      exponentialBackoff({ firstMs: FIRST_BACKOFF_MS, lastMs: LAST_BACKOFF_MS }),
      random,
    );
    let failures = 0;
    while (!signal.aborted) {
      const begun = clock.monotonic();
      const hasLived = (): boolean => clock.monotonic() - begun >= HEALTHY_WATCH_MS;
      this.#hasProgressed = false;
      let asked = 0;
      try {
        this.#resourceVersion ??= await this.#list(signal);
        await this.#watch(this.#resourceVersion, signal);
        // The server ended the watch in good order. One that it ends at once is paced like a failure.
        if (hasLived()) {
          failures = 0;
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (isExpired(error)) this.#resourceVersion = undefined;
        else onError(error);
        if (error instanceof ApiError) asked = error.retryAfterMs ?? 0;
      }
      failures = hasLived() || this.#hasProgressed ? 1 : failures + 1;
      asked = Math.min(asked * (1 + random() / 4), LONGEST_RETRY_AFTER_MS);
      await settled(clock.sleep(Math.max(asked, backoff(failures)), signal));
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, type, cache, namespace, labelSelector, metadataOnly } = this.#options;
    const objects: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await client.list<T>(type, {
        namespace,
        labelSelector,
        metadataOnly,
        limit: PAGE_SIZE,
        continue: next,
        once: true,
        signal,
      });
      for (const item of page.items) objects.push(this.#kept(item));
      next = page.continue;
      if (next !== undefined) continue;
      cache.replace(objects, namespace);
      this.#isSynced = true;
      this.#synced.resolve();
      return page.resourceVersion;
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, type, namespace, labelSelector, metadataOnly, random } = this.#options;
    const events = client.watch<T>(type, {
      namespace,
      labelSelector,
      metadataOnly,
      resourceVersion,
      timeoutSeconds: Math.round(WATCH_SECONDS * (1 + random())),
      signal,
    });
    for await (const event of events) this.#take(event);
  }

  #kept(object: T): T {
    const { transform } = this.#options;
    const kept = withoutBallast(object);
    return transform === undefined ? kept : transform(kept);
  }

  #take(event: WatchEvent<T>): void {
    const { cache } = this.#options;
    if (event.type === "ERROR") {
      throw new ApiError({
        status: event.object.code ?? 500,
        reason: event.object.reason ?? "",
        message: event.object.message ?? "the API server ended the watch with an error",
      });
    }
    this.#hasProgressed = true;
    if (event.type === "DELETED") cache.delete(keyOf(event.object.metadata));
    else if (event.type !== "BOOKMARK") cache.set(this.#kept(event.object));
    this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion;
  }
}

/**
 * Without what nobody here reads: managed fields, about half of an object's size, and the manifest that kubectl keeps in an
 * annotation, which for a Secret holds its values.
 */
function withoutBallast<T extends KubernetesObject>(object: T): T {
  const { metadata } = object;
  delete metadata.managedFields;
  delete metadata.annotations?.["kubectl.kubernetes.io/last-applied-configuration"];
  return object;
}

async function settled(waiting: Promise<void>): Promise<void> {
  try {
    await waiting;
  } catch {
    // Aborted: the loop's condition sees it.
  }
}
