/** The values that one decision is made from. They are cheap to get, and the decision is made again when one of them changes. */
export type World = readonly unknown[];

export interface DecisionsOptions<W extends World, Outcome> {
  /** `undefined`: there is no object with this key. `before` is the last outcome. */
  readonly gather: (key: string, before: Outcome | undefined) => W | undefined;
  readonly decide: (
    key: string,
    world: W,
    before: Outcome | undefined,
    signal: AbortSignal,
  ) => Promise<Outcome>;
  /** A change of the outcome is announced only if it changes this text. */
  readonly toText: (outcome: Outcome) => string;
}

interface KeptDecision<W, Outcome> {
  readonly world: W;
  readonly outcome: Outcome;
  /** That of the outcome, once it was asked for. Thousands ask for the same one, and it may be a hash of all that is in it. */
  text?: string | undefined;
}

/** The text for an object that does not exist. */
const ABSENT = "";

/**
 * The last decision of each key. When many callers ask at once, they share one decision for as long as the world does not change.
 * Listeners are called when the answer changes.
 */
export class Decisions<W extends World, Outcome> {
  readonly #options: DecisionsOptions<W, Outcome>;
  readonly #decided = new Map<string, KeptDecision<W, Outcome>>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** Key → the text of the outcome that was given or announced last. */
  readonly #announced = new Map<string, string>();
  readonly #listeners: ((key: string) => void)[] = [];

  constructor(options: DecisionsOptions<W, Outcome>) {
    this.#options = options;
  }

  subscribe(listener: (key: string) => void): void {
    this.#listeners.push(listener);
  }

  /** For callers that refer to the object. `undefined`: there is no object with this key. */
  async answer(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const decision = await this.#current(key, signal);
    // The first caller gets the outcome as its answer, so that nothing is announced.
    if (!this.#announced.has(key)) this.#announced.set(key, this.#textOf(decision));
    else this.#announce(key, decision);
    return decision?.outcome;
  }

  /** For the controller of the kind: a change of the outcome is announced. */
  async renew(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const decision = await this.#current(key, signal);
    this.#announce(key, decision);
    return decision?.outcome;
  }

  async #current(key: string, signal: AbortSignal): Promise<KeptDecision<W, Outcome> | undefined> {
    for (;;) {
      const before = this.#decided.get(key);
      const world = this.#options.gather(key, before?.outcome);
      if (world === undefined) {
        this.#decided.delete(key);
        return undefined;
      }
      if (before !== undefined && isSame(before.world, world)) return before;
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

  #announce(key: string, decision: KeptDecision<W, Outcome> | undefined): void {
    const text = this.#textOf(decision);
    if (this.#announced.get(key) === text) return;
    this.#announced.set(key, text);
    for (const listener of this.#listeners) listener(key);
  }

  #textOf(decision: KeptDecision<W, Outcome> | undefined): string {
    if (decision === undefined) return ABSENT;
    return (decision.text ??= this.#options.toText(decision.outcome));
  }
}

function isSame(a: World, b: World): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
