const SUFFIXES: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/**
 * Reads a Kubernetes quantity ("500m", "1.5Gi", "1e3") as a number; `undefined` when the text is none. The number is for comparisons,
 * not for sums. It may be negative and as long as the API server allows, unlike the quantities of our resources.
 */
export function quantityValue(text: string): number | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, number = "", exponent, suffix = ""] = match;
  if (exponent !== undefined) return Number(`${number}e${exponent}`);
  const value = Number(number) * (SUFFIXES[suffix] ?? Number.NaN);
  // Rounding makes "0.1k" and "100" the same number.
  return Number(value.toPrecision(12));
}
