/** Two texts line by line, as rows of two sides. */
import { diffArrays } from "diff";

export interface DiffRow {
  readonly kind: "same" | "changed" | "added" | "removed";
  /** Undefined where the side has no such line. Numbers begin at 1. */
  readonly left: DiffLine | undefined;
  readonly right: DiffLine | undefined;
}

export interface DiffLine {
  readonly number: number;
  readonly text: string;
}

/** Rows, and in their place how many alike were left out. */
export type DiffPart =
  | { readonly type: "rows"; readonly rows: readonly DiffRow[] }
  | { readonly type: "fold"; readonly rows: readonly DiffRow[] };

/** Texts that differ by more than this are shown as one removed and one added: nobody reads such a difference line by line. */
const MAX_EDITS = 2_000;
/** Lines alike that are shown beside a change. */
const CONTEXT = 3;

export function diffRows(left: string, right: string): DiffRow[] {
  const before = linesOf(left);
  const after = linesOf(right);
  const changes = diffArrays(before, after, { maxEditLength: MAX_EDITS }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  const rows: DiffRow[] = [];
  let leftNumber = 0;
  let rightNumber = 0;
  let removed: DiffLine[] = [];
  const flush = (): void => {
    for (const line of removed) rows.push({ kind: "removed", left: line, right: undefined });
    removed = [];
  };
  for (const change of changes) {
    for (const text of change.value) {
      if (change.removed) {
        removed.push({ number: ++leftNumber, text });
      } else if (change.added) {
        const line = { number: ++rightNumber, text };
        const partner = removed.shift();
        rows.push({
          kind: partner === undefined ? "added" : "changed",
          left: partner,
          right: line,
        });
      } else {
        flush();
        rows.push({
          kind: "same",
          left: { number: ++leftNumber, text },
          right: { number: ++rightNumber, text },
        });
      }
    }
    if (change.added) flush();
  }
  flush();
  return rows;
}

/** Folds what is alike and far from every change. */
export function foldRows(rows: readonly DiffRow[]): DiffPart[] {
  const isNear = new Set<number>();
  for (const [index, { kind }] of rows.entries()) {
    if (kind === "same") continue;
    for (let near = index - CONTEXT; near <= index + CONTEXT; near += 1) isNear.add(near);
  }
  const parts: { type: "rows" | "fold"; rows: DiffRow[] }[] = [];
  for (const [index, row] of rows.entries()) {
    const type = isNear.has(index) ? "rows" : "fold";
    const last = parts.at(-1);
    if (last?.type === type) last.rows.push(row);
    else parts.push({ type, rows: [row] });
  }
  // What takes as much room as the line that stands for it is shown.
  return parts.map((part) => (part.rows.length === 1 ? { type: "rows", rows: part.rows } : part));
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
