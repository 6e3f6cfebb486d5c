import type { Cost } from "./frames.ts";

/** Amounts are kept in billionths, far below the price of one token. */
const BILLION = 1e9;

export function roundCost(amount: number): number {
  return Math.round(amount * BILLION) / BILLION;
}

/** The sum of both. Undefined when both are. Amounts of two currencies have no sum: the newer one counts alone. */
export function addCost(sum: Cost | undefined, cost: Cost | undefined): Cost | undefined {
  if (sum === undefined || cost === undefined) return sum ?? cost;
  if (sum.currency !== cost.currency) return cost;
  return { amount: roundCost(sum.amount + cost.amount), currency: cost.currency };
}
