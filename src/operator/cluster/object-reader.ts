import { createHash } from "node:crypto";
import { isNotFound } from "../../kube/client/api-error.ts";
import type { Cache } from "../../kube/watch/cache.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { type KubernetesObject, keyOf, type ResourceType } from "../../kube/client/object.ts";

const DIGEST_LENGTH = 12;

/** Gives the metadata of the newest version that is known. `undefined`: there is no such object. */
export type NewestVersion = (
  key: string,
  signal: AbortSignal,
) => Promise<KubernetesObject | undefined>;

/**
 * Reads the content of objects of one kind of which only metadata is watched: when somebody asks for it, and once for each version.
 * It keeps the facts that `toFacts` gives, and none of the content itself.
 */
export class ObjectReader<T extends KubernetesObject, Facts> {
  readonly #client: KubeClient;
  readonly #type: ResourceType;
  readonly #newest: NewestVersion;
  readonly #toFacts: (object: T) => Facts;
  /** Key of the object → the facts of a version, which may still be being read. */
  readonly #known = new Map<string, { version: string; facts: Promise<Facts | undefined> }>();

  constructor(options: {
    client: KubeClient;
    type: ResourceType;
    /** When an object goes from it, what is known of the object is forgotten. */
    cache: Cache<KubernetesObject>;
    /** @default the one in the cache */
    newest?: NewestVersion | undefined;
    toFacts: (object: T) => Facts;
  }) {
    this.#client = options.client;
    this.#type = options.type;
    this.#newest = options.newest ?? (async (key) => options.cache.get(key));
    this.#toFacts = options.toFacts;
    options.cache.subscribe(({ before, after }) => {
      if (after === undefined && before !== undefined) this.#known.delete(keyOf(before.metadata));
    });
  }

  /** `undefined`: there is no such object. Rejects when the object could not be read. */
  async facts(key: string, signal: AbortSignal): Promise<Facts | undefined> {
    const there = await this.#newest(key, signal);
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

/** A digest that tells two values apart and reveals neither, because it is salted with the uid of the object that holds them. */
export function digestOfValue(uid: string, value: string): string {
  return createHash("sha256")
    .update(uid)
    .update("\0")
    .update(value)
    .digest("hex")
    .slice(0, DIGEST_LENGTH);
}
