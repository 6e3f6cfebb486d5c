import { nextTurn } from "../../time/next-turn.ts";
import type { Priority } from "../client/rate-limiter.ts";
import { LOWER_SHARE } from "./work-queue.ts";

/**
 * Lets one pass begin in each turn of the event loop, the urgent ones first. When a hundred workers get their keys together, answers of
 * the API server would otherwise wait until all hundred passes have done what they can do at once.
 */
export class PassStarts {
  readonly #waiting: Readonly<Record<Priority, (() => void)[]>> = { now: [], later: [] };
  /** How many with `now` began in a row while others waited. */
  #preferred = 0;
  #isGoing = false;

  /** Resolves when the pass may begin. */
  next(priority: Priority): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting[priority].push(resolve);
    if (!this.#isGoing) void this.#go();
    return promise;
  }

  async #go(): Promise<void> {
    this.#isGoing = true;
    const { now, later } = this.#waiting;
    while (now.length + later.length > 0) {
      await nextTurn();
      const isLatersTurn = now.length === 0 || (later.length > 0 && this.#preferred >= LOWER_SHARE);
      this.#preferred = isLatersTurn || later.length === 0 ? 0 : this.#preferred + 1;
      (isLatersTurn ? later : now).shift()?.();
    }
    this.#isGoing = false;
  }
}
