import { keyOf, type KubernetesObject } from "../client/object.ts";

/** From an object to the values under which it is to be found. */
export type IndexFunction<T> = (object: T) => readonly string[];

export interface CacheChange<T> {
  /** Absent: the object is new. */
  before: T | undefined;
  /** Absent: the object is gone. */
  after: T | undefined;
}

/**
 * What a reflector last saw of one kind. Objects in it are shared: never change one. An object that was deleted and made again
 * under its name is told as gone and then new, for what belonged to the old one does not belong to the new one.
 */
export class Cache<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexFunctions: ReadonlyMap<string, IndexFunction<T>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  readonly #listeners = new Set<(change: CacheChange<T>) => void>();

  constructor(indexFunctions: Record<string, IndexFunction<T>> = {}) {
    this.#indexFunctions = new Map(Object.entries(indexFunctions));
    for (const name of this.#indexFunctions.keys()) this.#indexes.set(name, new Map());
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
    const keys = this.#indexes.get(index)?.get(value);
    if (keys === undefined) return [];
    return [...keys].sort().flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** The values under which the index holds the object, or would. */
  valuesOf(index: string, object: T): readonly string[] {
    return this.#indexFunctions.get(index)?.(object) ?? [];
  }

  /** Called after every change, once the cache and its indexes hold it. Returns the end of it. */
  subscribe(listener: (change: CacheChange<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For when all who subscribed have come to their end, without a word of their own. */
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
      this.#unindex(key, before);
    }
    this.#objects.set(key, object);
    this.#index(key, object);
    this.#tell({ before, after: object });
  }

  delete(key: string): void {
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#objects.delete(key);
    this.#unindex(key, before);
    this.#tell({ before, after: undefined });
  }

  /**
   * The result of a fresh list: what is not in it is gone, deletions that no watch told of included. With a namespace, the list
   * was of that one alone, and says nothing of others.
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

  #index(key: string, object: T): void {
    for (const [name, index] of this.#indexes) {
      for (const value of this.#indexFunctions.get(name)?.(object) ?? []) {
        let keys = index.get(value);
        if (keys === undefined) index.set(value, (keys = new Set()));
        keys.add(key);
      }
    }
  }

  #unindex(key: string, object: T): void {
    for (const [name, index] of this.#indexes) {
      for (const value of this.#indexFunctions.get(name)?.(object) ?? []) {
        const keys = index.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index.delete(value);
      }
    }
  }
}
