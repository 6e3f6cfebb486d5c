import { createHash } from "node:crypto";
import { isNotFound } from "../../kube/client/api-error.ts";
import type { Cache } from "../../kube/watch/cache.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { type KubernetesObject, keyOf, type ResourceType } from "../../kube/client/object.ts";

const DIGEST_LENGTH = 12;

/**
 * What is known of the content of objects of one kind that are watched as metadata only: read when somebody asks, once a version,
 * and let go at once. Kept are the facts that `toFacts` makes of it, and no value.
 */
export class ObjectReader<T extends KubernetesObject, Facts> {
  readonly #client: KubeClient;
  readonly #type: ResourceType;
  readonly #cache: Cache<KubernetesObject>;
  readonly #toFacts: (object: T) => Facts;
  /** By key: the facts of a version, or the reading of it that is under way. */
  readonly #known = new Map<string, { version: string; facts: Promise<Facts | undefined> }>();

  constructor(options: {
    client: KubeClient;
    type: ResourceType;
    cache: Cache<KubernetesObject>;
    toFacts: (object: T) => Facts;
  }) {
    this.#client = options.client;
    this.#type = options.type;
    this.#cache = options.cache;
    this.#toFacts = options.toFacts;
    this.#cache.subscribe(({ before, after }) => {
      if (after === undefined && before !== undefined) this.#known.delete(keyOf(before.metadata));
    });
  }

  /** `undefined`: it is not there. Rejects when it could not be read, which is something else. */
  async facts(key: string, signal: AbortSignal): Promise<Facts | undefined> {
    const there = this.#cache.get(key);
    if (there === undefined) return undefined;
    const { uid = "", resourceVersion = "", name, namespace } = there.metadata;
    const version = `${uid}/${resourceVersion}`;
    const known = this.#known.get(key);
    if (known?.version === version) return await known.facts;
    const facts = this.#read({ name, namespace }, signal);
    const reading = { version, facts };
    this.#known.set(key, reading);
    try {
      return await facts;
    } catch (error) {
      if (this.#known.get(key) === reading) this.#known.delete(key);
      throw error;
    }
  }

  async #read(
    at: { name: string; namespace: string | undefined },
    signal: AbortSignal,
  ): Promise<Facts | undefined> {
    try {
      return this.#toFacts(await this.#client.get<T>(this.#type, at, signal));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

/** Tells two values apart, and says nothing of them: salted with the identity of the object that holds them. */
export function digestOfValue(uid: string, value: string): string {
  return createHash("sha256")
    .update(uid)
    .update("\0")
    .update(value)
    .digest("hex")
    .slice(0, DIGEST_LENGTH);
}
