/**
 * Counts the work that a foreign text causes, so that its limit is the same on a slow machine and on a fast one. A step is about ten
 * nanoseconds: 100,000 steps are a millisecond.
 */
export class WorkBudget {
  readonly #steps: number;
  readonly #whole: WorkBudget | undefined;
  #left: number;

  /** Each step is taken from `whole` too, which several budgets may share. */
  constructor(steps: number, whole?: WorkBudget) {
    this.#steps = steps;
    this.#whole = whole;
    this.#left = steps;
  }

  /** How many steps have been taken. */
  get spent(): number {
    return this.#steps - this.#left;
  }

  /** False when there are not so many steps left; then none of them is taken. */
  take(steps: number): boolean {
    if (steps > this.#left || this.#whole?.take(steps) === false) return false;
    this.#left -= steps;
    return true;
  }
}
