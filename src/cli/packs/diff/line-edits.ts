/** Finds which lines were removed and which were added: as few as possible, with the algorithm of Myers. */
export interface LineEdit {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Texts with more edits than this are shown as wholly replaced where they differ. The work grows with the square of it. */
export const MAX_LINE_EDITS = 1_000;

export function lineEdits(before: readonly string[], after: readonly string[]): LineEdit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) {
    start += 1;
  }
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1;
  }
  const same = (lines: readonly string[]): LineEdit[] => lines.map(edit("same"));
  return [
    ...same(before.slice(0, start)),
    ...editsBetween(
      before.slice(start, before.length - end),
      after.slice(start, after.length - end),
    ),
    ...same(before.slice(before.length - end)),
  ];
}

function edit(kind: LineEdit["kind"]) {
  return (text: string): LineEdit => ({ kind, text });
}

function editsBetween(before: readonly string[], after: readonly string[]): LineEdit[] {
  const limit = Math.min(before.length + after.length, MAX_LINE_EDITS);
  // For each diagonal (lines read of `before` less those of `after`), how many lines of `before` are read at most.
  const furthest = new Int32Array(2 * limit + 3);
  const at = (diagonal: number): number => furthest[diagonal + limit + 1] ?? 0;
  const steps: Int32Array[] = [];
  for (let edits = 0; edits <= limit; edits += 1) {
    steps.push(furthest.slice());
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const isAdded =
        diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
      let read = isAdded ? at(diagonal + 1) : at(diagonal - 1) + 1;
      while (read < before.length && before[read] === after[read - diagonal]) {
        if (read - diagonal >= after.length) break;
        read += 1;
      }
      furthest[diagonal + limit + 1] = read;
      if (read >= before.length && read - diagonal >= after.length) {
        return walkBack(before, after, steps, limit);
      }
    }
  }
  return [...before.map(edit("removed")), ...after.map(edit("added"))];
}

function walkBack(
  before: readonly string[],
  after: readonly string[],
  steps: readonly Int32Array[],
  limit: number,
): LineEdit[] {
  const edits: LineEdit[] = [];
  let read = before.length;
  let written = after.length;
  for (let step = steps.length - 1; step >= 0; step -= 1) {
    const furthest = steps[step] as Int32Array;
    const at = (diagonal: number): number => furthest[diagonal + limit + 1] ?? 0;
    const diagonal = read - written;
    const isAdded =
      diagonal === -step || (diagonal !== step && at(diagonal - 1) < at(diagonal + 1));
    const from = isAdded ? diagonal + 1 : diagonal - 1;
    const readBefore = step === 0 ? 0 : at(from);
    const writtenBefore = step === 0 ? 0 : readBefore - from;
    while (read > readBefore && written > writtenBefore) {
      read -= 1;
      written -= 1;
      edits.push({ kind: "same", text: before[read] as string });
    }
    if (step === 0) break;
    if (isAdded) {
      written -= 1;
      edits.push({ kind: "added", text: after[written] as string });
    } else {
      read -= 1;
      edits.push({ kind: "removed", text: before[read] as string });
    }
  }
  return edits.toReversed();
}
