import { ApiError, isNotFound } from "../client/api-error.ts";
import type { KubeClient } from "../client/client.ts";
import { type KubernetesObject, pathOf } from "../client/object.ts";
import type { Cache } from "./cache.ts";
import { Reflector, type ReflectorOptions } from "./reflector.ts";

/** The time between two looks whether the API server has a kind by now. */
export const LOOK_AGAIN_MS = 5_000;

export interface OptionalReflectorOptions<T extends KubernetesObject> extends Omit<
  ReflectorOptions<T>,
  "namespace"
> {
  readonly client: KubeClient;
  /** Holds an object that is named after the plural of the kind while the API server has the kind. */
  readonly served: Cache<KubernetesObject>;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  /** @default LOOK_AGAIN_MS */
  readonly lookAgainMs?: number | undefined;
}

/**
 * Keeps a cache equal to what the API server has of a kind that somebody may install, and may remove again, while this process runs.
 * While there is no such kind the cache is empty, and that counts as synced.
 */
export class OptionalReflector<T extends KubernetesObject> {
  readonly #options: OptionalReflectorOptions<T>;
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #lastProblem: string | undefined;

  constructor(options: OptionalReflectorOptions<T>) {
    this.#options = options;
  }

  /** Resolves when it is known that there is no such kind, or after the first whole list. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Runs until the signal is aborted, and then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { cache, served, type, clock, lookAgainMs = LOOK_AGAIN_MS } = this.#options;
    while (!signal.aborted) {
      const isServed = await this.#isServed(signal);
      if (isServed === true) {
        await this.#follow(signal);
      } else if (isServed === false) {
        cache.replace([]);
        served.delete(type.plural);
        this.#nowSynced();
      }
      await clock.sleep(lookAgainMs, signal).catch(() => {});
    }
  }

  /** Resolves to undefined when that cannot be known now. */
  async #isServed(signal: AbortSignal): Promise<boolean | undefined> {
    const { client, type, namespaces } = this.#options;
    try {
      const namespace = namespaces[0];
      await client.list(type, { namespace, limit: 1, metadataOnly: true, once: true, signal });
      this.#lastProblem = undefined;
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (signal.aborted) return undefined;
      this.#tell(error);
      // An operator that may not read the kind does not wait for it.
      return error instanceof ApiError && error.status === 403 ? false : undefined;
    }
  }

  /** Fills the cache until the API server has the kind no more. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { namespaces, served, type, onError } = this.#options;
    const gone = new AbortController();
    const scopes = namespaces.length === 0 ? [undefined] : namespaces;
    const reflectors = scopes.map(
      (namespace) =>
        new Reflector<T>({
          ...this.#options,
          namespace,
          onError: (error) => (isNotFound(error) ? gone.abort() : onError(error)),
        }),
    );
    const following = AbortSignal.any([signal, gone.signal]);
    const running = Promise.all(reflectors.map((reflector) => reflector.run(following)));
    const telling = async (): Promise<void> => {
      await Promise.race([Promise.all(reflectors.map(({ synced }) => synced)), running]);
      if (following.aborted) return;
      served.set({ metadata: { name: type.plural, uid: pathOf(type), resourceVersion: "1" } });
      this.#nowSynced();
    };
    await Promise.all([running, telling()]);
  }

  #nowSynced(): void {
    this.#isSynced = true;
    this.#synced.resolve();
  }

  /** The same problem is told once. */
  #tell(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    if (problem === this.#lastProblem) return;
    this.#lastProblem = problem;
    this.#options.onError(error);
  }
}
