import { describe, expect, it } from "vitest";
import { plainText } from "../../../observability/terminal/line.ts";
import { lineEdits } from "./line-edits.ts";
import { sideBySideLines, unifiedLines } from "./shown-edits.ts";

const numbers = (count: number, changed: Record<number, string> = {}): string[] =>
  Array.from({ length: count }, (_, index) => changed[index] ?? `line ${index}`);
const unified = (before: string[], after: string[]): string[] =>
  unifiedLines(lineEdits(before, after)).map(plainText);
const sideBySide = (before: string[], after: string[], width: number): string[] =>
  sideBySideLines(lineEdits(before, after), width).map(plainText);

describe("unifiedLines", () => {
  it("shows three equal lines around an edit, and counts the others", () => {
    expect(unified(numbers(12), numbers(12, { 5: "five" }))).toEqual([
      "  … 2 equal lines",
      "  line 2",
      "  line 3",
      "  line 4",
      "- line 5",
      "+ five",
      "  line 6",
      "  line 7",
      "  line 8",
      "  … 3 equal lines",
    ]);
  });
});

describe("sideBySideLines", () => {
  it("puts what was removed beside what was added", () => {
    expect(sideBySide(["a", "b", "c"], ["a", "x", "y", "c"], 43)).toEqual([
      "  a                  │   a",
      "- b                  │ + x",
      "                     │ + y",
      "  c                  │   c",
    ]);
  });

  it("breaks long lines at blanks, and words that are longer than a column", () => {
    expect(sideBySide(["one two three four five six"], [`x${"y".repeat(20)}`], 43)).toEqual([
      "- one two three four │ + xyyyyyyyyyyyyyyyyy",
      "  five six           │   yyy",
    ]);
  });

  it("counts wide characters as two columns, and writes out what a terminal would obey", () => {
    expect(sideBySide(["日本語"], ["\u001b[31m"], 43)).toEqual([
      "- 日本語             │ + \\u{1b}[31m",
    ]);
  });
});
