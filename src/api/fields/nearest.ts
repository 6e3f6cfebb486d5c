/** The candidate that the user probably meant by `word`, or `undefined` when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const near = candidates
    .map((candidate) => ({ candidate, distance: distance(lower, candidate.toLowerCase()) }))
    .filter(({ distance: far }) => far <= Math.max(1, Math.floor(word.length / 3)))
    // With many mistakes it is another word, unless it begins like the one that is meant: "compositions" is no "compilation".
    .filter(
      ({ candidate, distance: far }) =>
        far <= MAX_MISTAKES || 2 * commonStart(lower, candidate.toLowerCase()) >= lower.length,
    )
    .toSorted((a, b) => a.distance - b.distance);
  if (near[0] !== undefined) return near[0].candidate;
  // "apiKeySecret" for "apiKeySecretRef", "replica" for "replicas".
  return candidates.find(
    (candidate) =>
      lower.length >= 4 &&
      candidate.length >= 4 &&
      (candidate.toLowerCase().startsWith(lower) ||
        // What follows is an addition, as in "timeoutSeconds", and not the most of the word, as in "imagePullPolicy".
        (lower.startsWith(candidate.toLowerCase()) && 2 * candidate.length >= lower.length)),
  );
}

/** So many mistakes may be anywhere in a word. */
const MAX_MISTAKES = 2;

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Longer words are hardly misspellings, and comparing them takes too long. */
const MAX_LENGTH = 64;

/** How many letters have to be inserted, removed, replaced, or swapped with their neighbour. */
function distance(from: string, to: string): number {
  if (from.length > MAX_LENGTH || to.length > MAX_LENGTH) return Infinity;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) {
        best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? Infinity;
}
