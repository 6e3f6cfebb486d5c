/** What is to be printed: texts of whatever origin, and what is ours about them. Only the writer makes control sequences of it. */
import { visibleLine } from "./visible-text.ts";

export type Style = "dim" | "red" | "green" | "yellow" | "bold";

export interface StyledText {
  readonly style: Style;
  readonly text: string;
}

export type Piece = string | StyledText;

/** One line without its end: whatever is in its texts, it is printed as one. */
export type Line = Piece | readonly Piece[];

export function styled(style: Style, text: string): StyledText {
  return { style, text };
}

/** How a style is made visible. */
export type Paint = (style: Style, text: string) => string;

export function rendered(line: Line, paint: Paint): string {
  return piecesOf(line)
    .map((piece) =>
      typeof piece === "string" ? visibleLine(piece) : paint(piece.style, visibleLine(piece.text)),
    )
    .join("");
}

/** Without its styles. */
export function plainText(line: Line): string {
  return rendered(line, (_style, text) => text);
}

function piecesOf(line: Line): readonly Piece[] {
  return typeof line === "object" && !("style" in line) ? line : [line];
}
