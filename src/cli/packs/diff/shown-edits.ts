/** How the edits of a text are printed: one below the other, or the two texts side by side. */
import { styled, type Line, type Piece } from "../../../observability/terminal/line.ts";
import { visibleLine } from "../../../observability/terminal/visible-text.ts";
import type { LineEdit } from "./line-edits.ts";

/** So many equal lines are shown around each edit. */
const CONTEXT_LINES = 3;
const MIN_COLUMN = 20;
const BETWEEN = " │ ";
const MARK_WIDTH = 2;

type Shown = LineEdit | { readonly kind: "left-out"; readonly lines: number };

export function unifiedLines(edits: readonly LineEdit[]): Line[] {
  return withoutFarLines(edits).map((edit) => {
    if (edit.kind === "left-out") return leftOut(edit.lines);
    if (edit.kind === "same") return `  ${edit.text}`;
    return edit.kind === "removed"
      ? styled("red", `- ${edit.text}`)
      : styled("green", `+ ${edit.text}`);
  });
}

/** `width` counts the columns of the terminal. */
export function sideBySideLines(edits: readonly LineEdit[], width: number): Line[] {
  const column = Math.max(MIN_COLUMN, Math.floor((width - BETWEEN.length) / 2));
  const shown = withoutFarLines(edits);
  const lines: Line[] = [];
  for (let index = 0; index < shown.length;) {
    const edit = shown[index] as Shown;
    if (edit.kind === "left-out") {
      lines.push(leftOut(edit.lines));
      index += 1;
    } else if (edit.kind === "same") {
      lines.push(...row(["  ", edit.text], ["  ", edit.text], column));
      index += 1;
    } else {
      const removed: string[] = [];
      const added: string[] = [];
      for (; index < shown.length; index += 1) {
        const next = shown[index] as Shown;
        if (next.kind === "removed") removed.push(next.text);
        else if (next.kind === "added") added.push(next.text);
        else break;
      }
      for (let pair = 0; pair < Math.max(removed.length, added.length); pair += 1) {
        lines.push(...row(["- ", removed[pair]], ["+ ", added[pair]], column));
      }
    }
  }
  return lines;
}

type Cell = readonly [mark: "  " | "- " | "+ ", text: string | undefined];

function row(left: Cell, right: Cell, column: number): Line[] {
  const cells = [left, right].map((cell) => cellLines(cell, column));
  const [lefts = [], rights = []] = cells;
  return Array.from({ length: Math.max(lefts.length, rights.length) }, (_, index): Line => {
    const [before, after] = [lefts[index] ?? "", rights[index] ?? ""];
    const padding = " ".repeat(Math.max(0, column - columnsOf(before)));
    const style = (text: string, mark: string): Piece =>
      mark === "  " || text === "" ? text : styled(mark === "- " ? "red" : "green", text);
    return [style(before, left[0]), padding, after === "" ? " │" : BETWEEN, style(after, right[0])];
  });
}

function cellLines([mark, text]: Cell, column: number): string[] {
  if (text === undefined) return [];
  return wrapped(visibleLine(text), column - MARK_WIDTH).map(
    (line, index) => (index === 0 ? mark : " ".repeat(MARK_WIDTH)) + line,
  );
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const WIDE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303F\uFF01-\uFF60]/u;

/** Breaks a line at blanks, and within a word that is longer than a line. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  const take = (piece: string, columns: number): void => {
    // A blank at the end of a line is not printed.
    const needed = piece.endsWith(" ") ? columns - 1 : columns;
    if (used + needed > width && used > 0) {
      lines.push(line.trimEnd());
      line = "";
      used = 0;
      if (piece.trim() === "") return;
    }
    line += piece;
    used += columns;
  };
  for (const word of text.split(/(?<= )(?=[^ ])/)) {
    if (columnsOf(word.trimEnd()) <= width) {
      take(word, columnsOf(word));
      continue;
    }
    for (const { segment } of GRAPHEMES.segment(word)) take(segment, columnsOf(segment));
  }
  if (line !== "" || lines.length === 0) lines.push(line.trimEnd());
  return lines;
}

function columnsOf(text: string): number {
  // Most text is plain, and needs no segmenter.
  if (/^[\x20-\x7E]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of GRAPHEMES.segment(text)) columns += WIDE.test(segment) ? 2 : 1;
  return columns;
}

function leftOut(lines: number): Line {
  return styled("dim", `  … ${lines} equal line${lines === 1 ? "" : "s"}`);
}

/** Leaves out the equal lines that are far from every edit. */
function withoutFarLines(edits: readonly LineEdit[]): Shown[] {
  const near = new Set<number>();
  for (const [index, { kind }] of edits.entries()) {
    if (kind === "same") continue;
    for (let other = index - CONTEXT_LINES; other <= index + CONTEXT_LINES; other += 1) {
      near.add(other);
    }
  }
  const shown: Shown[] = [];
  let far = 0;
  const tellFar = (): void => {
    if (far > 0) shown.push({ kind: "left-out", lines: far });
    far = 0;
  };
  for (const [index, edit] of edits.entries()) {
    if (near.has(index)) {
      tellFar();
      shown.push(edit);
    } else far += 1;
  }
  tellFar();
  return shown;
}
