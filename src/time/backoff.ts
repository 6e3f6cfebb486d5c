/** Takes the number of failures in a row (1, 2, …), and returns the delay before the next try in milliseconds. */
export type Backoff = (failures: number) => number;

/** The delay doubles from `firstMs` up to `lastMs`. */
export function exponentialBackoff(options: { firstMs: number; lastMs: number }): Backoff {
  return (failures) => Math.min(options.lastMs, options.firstMs * 2 ** Math.min(failures - 1, 52));
}

/** Spreads a backoff over [half of it, all of it), so that those who failed together do not return together. */
export function jittered(backoff: Backoff, random: () => number): Backoff {
  return (failures) => backoff(failures) * (0.5 + random() / 2);
}
