/** How long a process that ended by itself waits for its next start. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** A process that has been ready for this long ran well: what it ended of is not held against the next. */
export const RAN_WELL_MS = 30_000;

/**
 * Doubles with every failure in a row, up to half a minute; between half of that and all of it, so that processes that
 * fail together do not start together.
 */
export function restartDelayMs(failuresInARow: number, random: () => number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(30, Math.max(0, failuresInARow - 1)));
  return Math.round(whole * (0.5 + random() / 2));
}
