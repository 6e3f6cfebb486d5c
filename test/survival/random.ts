/** Randomness that comes again with its seed, so that a run that failed can be looked at once more. */
export interface SurvivalRandom {
  /** At least 0 and below 1. */
  next(): number;
  /** At least `from` and at most `to`, both whole. */
  between(from: number, to: number): number;
  /** One of those that are there; there has to be one. */
  pick<Item>(items: readonly Item[]): Item;
  /** Another line of randomness: the same for the same name, however often this one was asked. */
  fork(name: string | number): SurvivalRandom;
}

export function survivalRandom(seed: string): SurvivalRandom {
  let state = hashOf(seed);
  // Of the family of Weyl sequences with a mixing step: good enough to choose by, and three lines.
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return mixed(state) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    between,
    pick: (items) => {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new Error("there is nothing to choose from");
      return item;
    },
    fork: (name) => survivalRandom(`${seed}/${name}`),
  };
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash;
}

function mixed(value: number): number {
  let mix = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}
