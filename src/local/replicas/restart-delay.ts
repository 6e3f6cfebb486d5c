/** How long a replica waits for its next process when one has ended by itself. */
import { type Backoff, exponentialBackoff, jittered } from "../../time/backoff.ts";

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** A process that was ready for this long ran well, and its end does not delay the next one. */
export const RAN_WELL_MS = 30_000;

/**
 * Takes the number of processes in a row that did not run well. The delay is random, so that replicas that fail together do not start
 * together.
 */
export function restartDelay(random: () => number): Backoff {
  return jittered(exponentialBackoff({ firstMs: FIRST_MS, lastMs: LONGEST_MS }), random);
}
