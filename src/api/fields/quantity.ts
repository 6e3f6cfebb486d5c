/** Resource quantities: `500m`, `256Mi`, `1e3`. */

/** How Kubernetes writes a quantity that is not negative. The CRD holds the same pattern. */
export const QUANTITY_PATTERN =
  /^[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]{1,2}))?$/;
export const QUANTITY_MAX_LENGTH = 32;

/** Powers of ten in 10^-9, so that the smallest unit is a whole number. */
const DECIMAL: Record<string, number> = {
  n: 0,
  u: 3,
  m: 6,
  "": 9,
  k: 12,
  M: 15,
  G: 18,
  T: 21,
  P: 24,
  E: 27,
};
const BINARY: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };

/**
 * The quantity in billionths, exact at any size. A finer one is rounded up, as Kubernetes does. Returns `undefined` when the
 * text is not a quantity.
 */
export function parseQuantity(quantity: string | number): bigint | undefined {
  const written = String(quantity);
  if (written.length > QUANTITY_MAX_LENGTH || !QUANTITY_PATTERN.test(written)) return undefined;
  const [, whole = "", fraction = "", suffix = ""] =
    /^[+]?([0-9]*)[.]?([0-9]*)(.*)$/.exec(written) ?? [];
  const digits = BigInt(`0${whole}${fraction}`);
  const binary = BINARY[suffix];
  const power =
    binary === undefined
      ? (DECIMAL[suffix] ?? 9 + Number(suffix.slice(1))) - fraction.length
      : 9 - fraction.length;
  const scaled = binary === undefined ? digits : digits << binary;
  if (power >= 0) return scaled * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (scaled + divisor - 1n) / divisor;
}
