/** What was found for a text, as long as there is room. Beyond `max` the oldest is forgotten. */
export class BoundedMemory<Found> {
  readonly #max: number;
  readonly #known = new Map<string, Found>();

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): Found | undefined {
    return this.#known.get(key);
  }

  set(key: string, found: Found): void {
    this.#known.set(key, found);
    if (this.#known.size <= this.#max) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
