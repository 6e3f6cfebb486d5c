import type { Line, Piece } from "../../observability/terminal/line.ts";
import { visibleLine } from "../../observability/terminal/visible-text.ts";

/** Turns rows into lines, with columns that are as wide as they need to be. The last cell of a row is not padded. */
export function textTable(rows: readonly (readonly Piece[])[], indent = ""): Line[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
    }
  }
  return rows.map((row) => {
    const pieces = row.flatMap((cell, index): Piece[] =>
      index === row.length - 1
        ? [cell]
        : [cell, " ".repeat((widths[index] as number) - widthOf(cell) + 2)],
    );
    return withoutEnd([indent, ...pieces]);
  });
}

function widthOf(cell: Piece): number {
  return visibleLine(typeof cell === "string" ? cell : cell.text).length;
}

/** Leaves out the blanks at the end of a line. */
function withoutEnd(pieces: readonly Piece[]): readonly Piece[] {
  const last = pieces.findLastIndex(
    (piece) => (typeof piece === "string" ? piece : piece.text).trim() !== "",
  );
  return pieces.slice(0, last + 1);
}
