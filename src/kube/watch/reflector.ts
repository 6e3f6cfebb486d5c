import { ApiError, isExpired } from "../client/api-error.ts";
import { exponentialBackoff, jittered } from "../../time/backoff.ts";
import type { Cache } from "./cache.ts";
import type { KubeClient, WatchEvent } from "../client/client.ts";
import type { Clock } from "../../time/clock.ts";
import { keyOf, type KubernetesObject, type ResourceType } from "../client/object.ts";

/** The number of objects in one page of a list. */
export const PAGE_SIZE = 500;
/** The server ends a watch after this time or up to twice as long, so that not all watches end together. */
export const WATCH_SECONDS = 300;
const FIRST_BACKOFF_MS = 250;
/** The longest time until a server that was away is tried again. */
const LAST_BACKOFF_MS = 10_000;
/** A server that asks for a longer wait is asked again after this time nevertheless. */
const LONGEST_RETRY_AFTER_MS = 30_000;
/** After a watch that lived this long, or reported anything, the count of failures begins again. */
const HEALTHY_WATCH_MS = 10_000;

export interface ReflectorOptions<T extends KubernetesObject> {
  client: KubeClient;
  type: ResourceType;
  cache: Cache<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  metadataOnly?: boolean | undefined;
  /**
   * Gives the part of an object that is kept. Its name, namespace, uid and resourceVersion must stay. Of the managed fields nothing is
   * kept but what is read from them here.
   */
  transform?: ((object: T) => T) | undefined;
  clock: Clock;
  random: () => number;
  /** Called with each error. What failed is then tried again. */
  onError: (error: unknown) => void;
}

/**
 * Keeps a cache equal to what the API server has of one kind: it lists the objects in pages, then watches from the resourceVersion
 * of the list. It never gives up: each error leads to another try after a jittered backoff, and an expired resourceVersion to a new list.
 */
export class Reflector<T extends KubernetesObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #resourceVersion: string | undefined;
  /** Whether the watch has reported anything. */
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
        // The server ended the watch in good order. If it does so at once, the next try waits as after a failure.
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
    const { client, type, cache, namespace, labelSelector, fieldSelector, metadataOnly } =
      this.#options;
    const objects: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await client.list<T>(type, {
        namespace,
        labelSelector,
        fieldSelector,
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
    const { client, type, namespace, labelSelector, fieldSelector, metadataOnly, random } =
      this.#options;
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + random()));
    await client.watch<T>(
      type,
      {
        namespace,
        labelSelector,
        fieldSelector,
        metadataOnly,
        resourceVersion,
        timeoutSeconds,
        signal,
      },
      (event) => this.#take(event),
    );
  }

  #kept(object: T): T {
    const { transform } = this.#options;
    return withoutUnread(transform === undefined ? object : transform(object));
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
 * Removes what nobody reads later: the managed fields, which are about half of an object's size, and the manifest that kubectl keeps
 * in an annotation, which holds the values of a Secret.
 */
function withoutUnread<T extends KubernetesObject>(object: T): T {
  const { metadata } = object;
  // An object from which a field is taken out in the middle is kept as a dictionary, which is larger by 400 bytes.
  if (metadata.managedFields !== undefined) metadata.managedFields = undefined;
  delete metadata.annotations?.["kubectl.kubernetes.io/last-applied-configuration"];
  return object;
}

async function settled(waiting: Promise<void>): Promise<void> {
  try {
    await waiting;
  } catch {
    // The signal was aborted, and the condition of the loop checks it.
  }
}
