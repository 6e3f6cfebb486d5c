import { printable, styled, type Streams, type Style } from "./streams.ts";

export type Cell = string | { readonly text: string; readonly style: Style };

/** Turns rows into lines, with columns that are as wide as they need to be. The last cell of a row is not padded. */
export function textTable(
  rows: readonly (readonly Cell[])[],
  stream: Streams["stdout"],
  indent = "",
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? 0, textOf(cell).length);
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, index) => {
      const text = printable(textOf(cell), stream).replaceAll("\n", " ");
      const shown = typeof cell === "string" ? text : styled(cell.style, text, stream);
      const last = index === row.length - 1;
      return last ? shown : shown + " ".repeat((widths[index] as number) - textOf(cell).length);
    });
    return indent + cells.join("  ").trimEnd();
  });
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}
