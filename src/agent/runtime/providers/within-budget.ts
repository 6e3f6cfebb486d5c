import type { SamplingOptions } from "./sampling-options.ts";

/** Providers refuse to be asked for fewer tokens than this. */
const FEWEST_TOKENS = 16;
/** Every model may be asked for so many tokens. A request for more than a model gives is refused by some. */
const ASKED_OF_EVERY_MODEL = 4_096;

/** No answer is longer than the budget leaves, as far as the limit on an answer can say it. */
export function withinBudget(
  sampling: SamplingOptions,
  tokensLeft: number | undefined,
): SamplingOptions {
  if (tokensLeft === undefined) return sampling;
  const { maxOutputTokens = ASKED_OF_EVERY_MODEL + 1 } = sampling;
  const most = Math.max(FEWEST_TOKENS, tokensLeft);
  return most < maxOutputTokens ? { ...sampling, maxOutputTokens: most } : sampling;
}
