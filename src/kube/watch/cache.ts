import { keyOf, type KubernetesObject } from "../client/object.ts";

/** Gives the values under which an index holds the object. */
export type IndexFunction<T> = (object: T) => readonly string[];

interface Index<T> {
  readonly valuesOf: IndexFunction<T>;
  /** The keys of the objects that it holds, by value. */
  readonly keys: Map<string, Set<string>>;
}

export interface CacheChange<T> {
  /** `undefined`: the object is new. */
  before: T | undefined;
  /** `undefined`: the object is gone. */
  after: T | undefined;
}

/**
 * What a reflector last saw of one kind. Its objects are shared, so nobody may change one. When an object was deleted and another
 * was made under its name, listeners hear of the end of the old one first, because what belonged to it does not belong to the new one.
 */
export class Cache<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, Index<T>>;
  readonly #listeners = new Set<(change: CacheChange<T>) => void>();

  constructor(indexFunctions: Record<string, IndexFunction<T>> = {}) {
    const indexes = Object.entries(indexFunctions);
    this.#indexes = new Map(
      indexes.map(([name, valuesOf]) => [name, { valuesOf, keys: new Map() }]),
    );
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  all(): Iterable<T> {
    return this.#objects.values();
  }

  /** The objects that the index holds under the value, in order of their keys. */
  indexed(index: string, value: string): T[] {
    const keys = this.#indexes.get(index)?.keys.get(value);
    if (keys === undefined) return [];
    return [...keys].sort().flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** The values under which the index holds the object, or would. */
  valuesOf(index: string, object: T): readonly string[] {
    return this.#indexes.get(index)?.valuesOf(object) ?? NONE;
  }

  /** `listener` is called after each change, when the cache and its indexes hold it. The function that is returned ends that. */
  subscribe(listener: (change: CacheChange<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For the end of all subscribers together, when none of them unsubscribes. */
  unsubscribeAll(): void {
    this.#listeners.clear();
  }

  set(object: T): void {
    const key = keyOf(object.metadata);
    const before = this.#objects.get(key);
    if (before !== undefined) {
      if (before.metadata.resourceVersion === object.metadata.resourceVersion) return;
      if (before.metadata.uid !== object.metadata.uid) {
        this.delete(key);
        return this.set(object);
      }
    }
    this.#objects.set(key, object);
    this.#reindex(key, before, object);
    this.#tell({ before, after: object });
  }

  delete(key: string): void {
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#objects.delete(key);
    this.#reindex(key, before, undefined);
    this.#tell({ before, after: undefined });
  }

  /**
   * Takes the result of a new list: an object that is not in it is gone, even if no watch reported that. With a namespace, the list
   * was of that namespace alone, and the objects of others stay.
   */
  replace(objects: readonly T[], namespace?: string): void {
    const listed = new Set(objects.map((object) => keyOf(object.metadata)));
    for (const [key, { metadata }] of this.#objects) {
      const isCovered = namespace === undefined || metadata.namespace === namespace;
      if (isCovered && !listed.has(key)) this.delete(key);
    }
    for (const object of objects) this.set(object);
  }

  #tell(change: CacheChange<T>): void {
    for (const listener of this.#listeners) listener(change);
  }

  #reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const { valuesOf, keys } of this.#indexes.values()) {
      const were = before === undefined ? NONE : valuesOf(before);
      const are = after === undefined ? NONE : valuesOf(after);
      // A change of an object rarely is one of what it is found by.
      if (isSame(were, are)) continue;
      for (const value of were) remove(keys, value, key);
      for (const value of are) add(keys, value, key);
    }
  }
}

const NONE: readonly string[] = [];

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((value, index) => value === others[index]);
}

function add(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  if (keys === undefined) index.set(value, new Set([key]));
  else keys.add(key);
}

function remove(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(value);
}
