import type { Cost } from "./frames.ts";

/** Amounts are known to a billionth. */
const MOST_DECIMALS = 9;
/** A small amount shows this many digits that are not a leading zero. */
const SHOWN_DIGITS = 3;

/** A cost for people: `12.35 USD`, `0.0123 USD`. No amount above zero is shown as zero. */
export function costText({ amount, currency }: Cost): string {
  const leadingZeros = amount > 0 && amount < 1 ? -Math.floor(Math.log10(amount)) - 1 : 0;
  const decimals = amount > 0 && amount < 1 ? leadingZeros + SHOWN_DIGITS : 2;
  const shown = amount.toLocaleString("en-US", {
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.min(MOST_DECIMALS, decimals),
  });
  return `${shown} ${currency}`;
}
