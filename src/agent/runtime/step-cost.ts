import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import type { Prices } from "../../agent-config/agent-config.ts";
import { roundCost } from "../../protocol/add-cost.ts";
import type { Cost } from "../../protocol/frames.ts";

const MILLION = 1e6;

/**
 * What the tokens of a step cost. Input that the provider read from its cache has a price of its own where that is given; what it
 * writes into its cache costs as other input does.
 */
export function stepCost(
  { inputTokens, outputTokens }: LanguageModelV4Usage,
  prices: Prices,
): Cost {
  const { inputPerMillionTokens, cachedInputPerMillionTokens = inputPerMillionTokens } = prices;
  const input = inputTokens.total ?? 0;
  const cached = Math.min(input, inputTokens.cacheRead ?? 0);
  const amount =
    (input - cached) * inputPerMillionTokens +
    cached * cachedInputPerMillionTokens +
    (outputTokens.total ?? 0) * prices.outputPerMillionTokens;
  return { amount: roundCost(amount / MILLION), currency: prices.currency };
}
