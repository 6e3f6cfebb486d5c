/** What was found of a pair of objects, as long as somebody holds both. Neither may be changed. */
export class PairMemory<One extends object, Other extends object, Found extends object> {
  readonly #known = new WeakMap<One, WeakMap<Other, Found>>();

  /** `find` is called for a pair that is not known yet. */
  of(one: One, other: Other, find: () => Found): Found {
    let known = this.#known.get(one);
    if (known === undefined) this.#known.set(one, (known = new WeakMap()));
    let found = known.get(other);
    if (found === undefined) known.set(other, (found = find()));
    return found;
  }
}
