/** The tokens that a process has used on the newest days, by day. */
const DAYS = 2;

export class TokensByDay {
  readonly #tokens = new Map<string, number>();

  /** Answers the sum of the day. */
  add(day: string, tokens: number): number {
    const sum = (this.#tokens.get(day) ?? 0) + tokens;
    this.#tokens.set(day, sum);
    for (const known of this.#tokens.keys()) {
      if (this.#tokens.size <= DAYS) break;
      this.#tokens.delete(known);
    }
    return sum;
  }
}
