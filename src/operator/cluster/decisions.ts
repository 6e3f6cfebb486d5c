/** What one decision is made of, cheap to get: it is made again when one of the values is another. */
export type World = readonly unknown[];

export interface DecisionsOptions<W extends World, Outcome> {
  /** `undefined`: there is nothing of this key. `before` is the last outcome. */
  readonly look: (key: string, before: Outcome | undefined) => W | undefined;
  readonly decide: (
    key: string,
    world: W,
    before: Outcome | undefined,
    signal: AbortSignal,
  ) => Promise<Outcome>;
  /** Two outcomes of the same text are the same to those who refer to it. */
  readonly toText: (outcome: Outcome) => string;
}

interface KeptDecision<W, Outcome> {
  readonly world: W;
  readonly outcome: Outcome;
}

/** What those are told who refer to something that is not there. */
const ABSENT = "";

/**
 * The last decision of each key. Many may ask at once, and while the world stays as it is one decision serves them all. Those who
 * asked are told when the answer is another.
 */
export class Decisions<W extends World, Outcome> {
  readonly #options: DecisionsOptions<W, Outcome>;
  readonly #decided = new Map<string, KeptDecision<W, Outcome>>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** By key, what was answered last. */
  readonly #told = new Map<string, string>();
  readonly #listeners: ((key: string) => void)[] = [];

  constructor(options: DecisionsOptions<W, Outcome>) {
    this.#options = options;
  }

  subscribe(listener: (key: string) => void): void {
    this.#listeners.push(listener);
  }

  /** For those who refer to it. `undefined`: there is nothing of this key. */
  async answer(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const outcome = await this.#current(key, signal);
    // Who asks first needs not be told of what is just being answered.
    if (!this.#told.has(key)) this.#told.set(key, this.#textOf(outcome));
    else this.#tell(key, outcome);
    return outcome;
  }

  /** For the controller of the kind: what is decided is told to those who refer to it. */
  async renew(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const outcome = await this.#current(key, signal);
    this.#tell(key, outcome);
    return outcome;
  }

  async #current(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    for (;;) {
      const before = this.#decided.get(key);
      const world = this.#options.look(key, before?.outcome);
      if (world === undefined) {
        this.#decided.delete(key);
        return undefined;
      }
      if (before !== undefined && isSame(before.world, world)) return before.outcome;
      const underWay = this.#underWay.get(key);
      if (underWay !== undefined) {
        await underWay;
        continue;
      }
      const deciding = this.#decide(key, world, before?.outcome, signal);
      this.#underWay.set(key, deciding);
      try {
        await deciding;
      } finally {
        this.#underWay.delete(key);
      }
    }
  }

  async #decide(
    key: string,
    world: W,
    before: Outcome | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const outcome = await this.#options.decide(key, world, before, signal);
    this.#decided.set(key, { world, outcome });
  }

  #tell(key: string, outcome: Outcome | undefined): void {
    const text = this.#textOf(outcome);
    if (this.#told.get(key) === text) return;
    this.#told.set(key, text);
    for (const listener of this.#listeners) listener(key);
  }

  #textOf(outcome: Outcome | undefined): string {
    return outcome === undefined ? ABSENT : this.#options.toText(outcome);
  }
}

function isSame(a: World, b: World): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
