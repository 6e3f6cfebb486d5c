/**
 * Counts the work that a foreign text causes, so that its limit is the same on a slow machine and on a fast one. A step is about ten
 * nanoseconds: 100,000 steps are a millisecond.
 */
export class WorkBudget {
  readonly #steps: number;
  #left: number;

  constructor(steps: number) {
    this.#steps = steps;
    this.#left = steps;
  }

  /** How many steps have been taken. */
  get spent(): number {
    return this.#steps - this.#left;
  }

  /** False when there are not so many steps left; then none of them is taken. */
  take(steps: number): boolean {
    if (steps > this.#left) return false;
    this.#left -= steps;
    return true;
  }
}
