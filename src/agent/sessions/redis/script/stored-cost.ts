/** What the turns of a session cost, as its hash has it: the amount in billionths, and the currency. */
import type { Cost } from "../../../../protocol/frames.ts";

const BILLION = 1e9;

export function storedCost(cost: Cost | undefined): string {
  return cost === undefined ? "" : `${Math.round(cost.amount * BILLION)} ${cost.currency}`;
}

/** Undefined when the text is no cost. */
export function readStoredCost(text: string): Cost | undefined {
  const [, billionths, currency] = /^(\d{1,15}) ([A-Z]{3})$/.exec(text) ?? [];
  if (currency === undefined) return undefined;
  return { amount: Number(billionths) / BILLION, currency };
}
