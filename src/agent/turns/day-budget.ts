/** What the agent uses on a day, which the session store counts across replicas. Only for agents with a budget for it. */
import type { Log } from "../../observability/log.ts";
import type { Clock } from "../../time/clock.ts";
import { LATE, within } from "../../time/within.ts";
import { TURN_BEGIN_RETRIES_MS } from "../contracts/limits.ts";
import { utcDay } from "../contracts/token-budget.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { withStoreRetries } from "./store-retry.ts";

/** A gateway waits a second for what a replica says of itself. */
const TOLD_WITHIN_MS = 500;

export class DayBudget {
  readonly #clock: Clock;
  readonly #log: Log;
  #known = { day: "", tokens: 0 };

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** What the replicas have used today, as far as this one has heard. */
  get knownToday(): number {
    return this.#known.day === utcDay(this.#clock.now()) ? this.#known.tokens : 0;
  }

  /** Rejects with what the store rejects with. */
  spentToday(store: SessionStore): Promise<number> {
    return withStoreRetries(() => this.#ask(store, 0), {
      clock: this.#clock,
      pausesMs: TURN_BEGIN_RETRIES_MS,
    });
  }

  /** What the replicas have used today, for those who ask from outside. Where the store does not say it soon, what this one has heard. */
  async toldToday(store: SessionStore): Promise<number> {
    const asked = this.#ask(store, 0).catch(() => this.knownToday);
    const told = await within(TOLD_WITHIN_MS, asked, this.#clock);
    return told === LATE ? this.knownToday : told;
  }

  /** What the store does not take now, it takes with the next turn. */
  count(store: SessionStore, tokens: number): void {
    if (tokens === 0) return;
    this.#ask(store, tokens).catch((error: unknown) =>
      this.#log.warn(
        { error, tokens },
        "The tokens of a turn will be counted with those of the next",
      ),
    );
  }

  async #ask(store: SessionStore, tokens: number): Promise<number> {
    const day = utcDay(this.#clock.now());
    const sum = await store.countTokens(day, tokens);
    this.#known = { day, tokens: sum };
    return sum;
  }
}
