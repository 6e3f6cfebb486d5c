import { MAX_DEPARTURE_CHARACTERS, MAX_DEPARTURES } from "../../../contracts/limits.ts";

/** Counts where the answers of a server depart from their protocol. A name says which field or event, and never what is in it. */
export class Departures {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const known = name.replaceAll(/[^\w.:[\]-]/g, "_").slice(0, MAX_DEPARTURE_CHARACTERS);
    const count = this.#counts.get(known);
    if (count === undefined && this.#counts.size >= MAX_DEPARTURES) return;
    this.#counts.set(known, (count ?? 0) + 1);
  }

  get counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
