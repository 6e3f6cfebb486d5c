import { TokensByDay } from "../tokens-by-day.ts";
import { countTokens } from "./operations/count-tokens.ts";
import { runOperation } from "./run-operation.ts";
import { tokensKeyOf } from "./script/session-keys.ts";
import type { RedisLink } from "./server-link.ts";

/** A day is over everywhere by then, whatever the clocks of the replicas say. */
const DAY_TTL_MS = 48 * 3_600_000;

export interface DayTokensOptions {
  readonly link: RedisLink;
  readonly agent: { readonly namespace: string; readonly name: string };
  /** Names this process among all that share the store. */
  readonly replica: string;
}

/** What all replicas of an agent use on a day. Each writes down its own sum, so that what was not written is with the next writing. */
export class DayTokens {
  readonly #options: DayTokensOptions;
  readonly #own = new TokensByDay();

  constructor(options: DayTokensOptions) {
    this.#options = options;
  }

  count(day: string, tokens: number): Promise<number> {
    const { link, agent, replica } = this.#options;
    const used = this.#own.add(day, tokens);
    const key = tokensKeyOf(agent, day);
    return runOperation(link, countTokens, [key], { replica, used, ttlMs: DAY_TTL_MS });
  }
}
