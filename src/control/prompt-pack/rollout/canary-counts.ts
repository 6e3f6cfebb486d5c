/** Sums of what agents count of a canary. */
import { emptyFirstChunkBuckets } from "../../../agent-config/first-chunk-buckets.ts";
import type { CanaryCounts } from "../../../api/prompt-pack.ts";

export const NO_COUNTS: CanaryCounts = {
  sessions: 0,
  turns: 0,
  errors: 0,
  validationFailures: 0,
  evals: 0,
  evalPoints: 0,
  firstChunk: emptyFirstChunkBuckets(),
};

export function sumOfCounts(all: Iterable<CanaryCounts>): CanaryCounts {
  const sum = { ...NO_COUNTS, firstChunk: emptyFirstChunkBuckets() };
  for (const counts of all) {
    sum.sessions += counts.sessions;
    sum.turns += counts.turns;
    sum.errors += counts.errors;
    sum.validationFailures += counts.validationFailures;
    sum.evals += counts.evals;
    sum.evalPoints += counts.evalPoints;
    // A replica of another release may have other buckets; a program of somebody else may send anything.
    for (const [index, turns] of counts.firstChunk.slice(0, sum.firstChunk.length).entries()) {
      sum.firstChunk[index] = (sum.firstChunk[index] ?? 0) + turns;
    }
  }
  return sum;
}
