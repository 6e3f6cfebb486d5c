import type { Position } from "../../api/manifest/text-positions.ts";

/**
 * Finds a place of a text in the file that holds the text as a literal block (`key: |`). `block` is the position of its `|`. In
 * any other notation lines and columns differ from those of the text, so `block` itself is returned.
 */
export function positionInBlock(
  file: string,
  block: Position,
  content: string,
  place: Partial<Position>,
): Position {
  const { line, column = 1 } = place;
  if (line === undefined) return block;
  const source = lineOf(file, block.line + line);
  const text = lineOf(content, line);
  const isLiteral = lineOf(file, block.line)?.[block.column - 1] === "|";
  if (!isLiteral || source === undefined || text === undefined || !source.endsWith(text)) {
    return block;
  }
  return { line: block.line + line, column: source.length - text.length + column };
}

function lineOf(text: string, line: number): string | undefined {
  return text.split("\n")[line - 1]?.replace(/\r$/, "");
}
