import type { SecretValues } from "./secret-values.ts";

/**
 * Takes secrets out of a text that comes in pieces, also those that lie across the border of two pieces. What may be the beginning of
 * a secret is held back until it is known; that is never more than a secret's longest spelling.
 */
export class SecretFilter {
  readonly #values: SecretValues;
  #rest = "";

  constructor(values: SecretValues) {
    this.#values = values;
  }

  /** What may be passed on by now. */
  add(text: string): string {
    const { clean, rest } = this.#values.hideBeginning(this.#rest + text);
    this.#rest = rest;
    return clean;
  }

  /** The text has ended: what was held back. */
  end(): string {
    const rest = this.#rest;
    this.#rest = "";
    return this.#values.hideEnd(rest);
  }

  /** No more of the text is taken: what was held back is dropped, since it may be all of a secret but its last character. */
  cut(): void {
    this.#rest = "";
  }
}
