/** How many tokens a turn may use still. The turn of a session and the turns of its members have one budget together. */
import type { BudgetConfig } from "../../agent-config/agent-config.ts";
import type { Usage } from "../../protocol/frames.ts";
import { TurnError } from "./turn-error.ts";

/** A budget that a turn counts to, and what was spent of it before the turn. */
export interface TokenLimit {
  readonly budget: "turn" | "session" | "day";
  readonly limit: number;
  readonly spentBefore: number;
}

/** What was spent before a turn; undefined: it is not known, or does not count. */
export interface SpentBefore {
  readonly session: number | undefined;
  readonly today: number | undefined;
}

const MS_PER_DAY = 86_400_000;

export function tokenLimits(
  budget: BudgetConfig | undefined,
  { session, today }: SpentBefore,
): TokenLimit[] {
  const { maxTokensPerTurn, maxTokensPerSession, maxTokensPerDay } = budget ?? {};
  return [
    ...limitOf("turn", maxTokensPerTurn, 0),
    ...limitOf("day", maxTokensPerDay, today),
    ...limitOf("session", maxTokensPerSession, session),
  ];
}

function limitOf(
  budget: TokenLimit["budget"],
  limit: number | undefined,
  spentBefore = 0,
): TokenLimit[] {
  return limit === undefined ? [] : [{ budget, limit, spentBefore }];
}

export class TokenBudget {
  readonly #limits: readonly TokenLimit[];
  readonly #now: () => number;
  #used: number;

  /** `used`: what was used of the turn on another replica. `now`: milliseconds since 1970. */
  constructor(limits: readonly TokenLimit[], now: () => number, used?: Usage) {
    this.#limits = limits;
    this.#now = now;
    this.#used = tokensOf(used);
  }

  /** What the turn has used. */
  get used(): number {
    return this.#used;
  }

  /** What the turn may use still, never below zero; undefined where there is no limit. */
  get left(): number | undefined {
    if (this.#limits.length === 0) return undefined;
    const left = this.#limits.map(({ limit, spentBefore }) => limit - spentBefore - this.#used);
    return Math.max(0, Math.min(...left));
  }

  use(usage: Usage | undefined): void {
    this.#used += tokensOf(usage);
  }

  /** Throws the TurnError that tells of the budget that is spent, if one is. */
  check(): void {
    for (const { budget, limit, spentBefore } of this.#limits) {
      const spent = spentBefore + this.#used;
      if (spent >= limit) throw spentError({ budget, limit, spent }, this.#now());
    }
  }
}

/** The day of a time in milliseconds since 1970, in UTC, like 2026-11-29. */
export function utcDay(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

function tokensOf(usage: Usage | undefined): number {
  return usage === undefined ? 0 : usage.input_tokens + usage.output_tokens;
}

function spentError(
  { budget, limit, spent }: { budget: TokenLimit["budget"]; limit: number; spent: number },
  now: number,
): TurnError {
  const details = { budget, limit, spent };
  switch (budget) {
    case "turn":
      return new TurnError(
        "UNAVAILABLE",
        `The budget of a turn is spent: ${spent} of ${limit} tokens. What was said so far is kept.`,
        { details },
      );
    case "session":
      return new TurnError(
        "UNAVAILABLE",
        `The budget of the session is spent: ${spent} of ${limit} tokens. Begin another session.`,
        { details },
      );
    case "day":
      return new TurnError(
        "UNAVAILABLE",
        `The agent's budget for today is spent: ${spent} of ${limit} tokens. It answers again after midnight UTC.`,
        {
          details: {
            ...details,
            retry_after: Math.ceil((MS_PER_DAY - (now % MS_PER_DAY)) / 1_000),
          },
        },
      );
  }
}
