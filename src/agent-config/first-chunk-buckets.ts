/** The histogram of the times to the first chunk by which a canary is judged: the agent fills it, and the control plane reads it. */

const FIRST_MS = 10;
const GROWTH = 1.25;
/** The last bound is some two minutes. */
const BOUNDS = 43;

/** The upper bounds of the buckets, in milliseconds. One more bucket is for all that is longer. */
export const FIRST_CHUNK_BOUNDS_MS: readonly number[] = Array.from(
  { length: BOUNDS },
  (_, index) => FIRST_MS * GROWTH ** index,
);

export function emptyFirstChunkBuckets(): number[] {
  return Array.from({ length: BOUNDS + 1 }, () => 0);
}

export function firstChunkBucketOf(milliseconds: number): number {
  const index = FIRST_CHUNK_BOUNDS_MS.findIndex((bound) => milliseconds <= bound);
  return index < 0 ? BOUNDS : index;
}

/**
 * The time, in milliseconds, that the share of the turns did not exceed, between the bounds of its bucket as if its turns were spread
 * evenly. `Infinity` past the last bound, `undefined` when there is no turn.
 */
export function firstChunkQuantile(buckets: readonly number[], share: number): number | undefined {
  const all = buckets.reduce((sum, turns) => sum + turns, 0);
  if (all === 0) return undefined;
  const wanted = all * share;
  let before = 0;
  for (const [index, turns] of buckets.entries()) {
    if (turns > 0 && before + turns >= wanted) {
      const upper = FIRST_CHUNK_BOUNDS_MS[index];
      if (upper === undefined) return Infinity;
      const lower = FIRST_CHUNK_BOUNDS_MS[index - 1] ?? 0;
      return lower + ((upper - lower) * (wanted - before)) / turns;
    }
    before += turns;
  }
  return Infinity;
}
