/** How many turns of other clients are remembered, to tell them from this client's next turn. */
const MAX_SEEN_TURNS = 64;

/** Turns that are not this client's. */
export class SeenTurns {
  readonly #ids = new Set<string>();

  has(turnId: string): boolean {
    return this.#ids.has(turnId);
  }

  add(turnId: string): void {
    this.#ids.add(turnId);
    if (this.#ids.size <= MAX_SEEN_TURNS) return;
    const [oldest] = this.#ids;
    if (oldest !== undefined) this.#ids.delete(oldest);
  }
}
