import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffRows, foldRows, type DiffRow } from "./diff-rows.ts";

const short = ({ kind, left, right }: DiffRow): string =>
  `${kind} ${left?.text ?? ""}|${right?.text ?? ""}`;
const texts = (rows: readonly DiffRow[], side: "left" | "right"): string[] =>
  rows.flatMap((row) => (row[side] === undefined ? [] : [row[side].text]));

describe("the difference of two texts", () => {
  it("puts a line beside the one that took its place", () => {
    expect(diffRows("a\nb\nc\n", "a\nB\nc\nd\n").map(short)).toEqual([
      "same a|a",
      "changed b|B",
      "same c|c",
      "added |d",
    ]);
  });

  it("shows what was only removed, and what was only added", () => {
    expect(diffRows("a\nb", "b").map(short)).toEqual(["removed a|", "same b|b"]);
    expect(diffRows("", "a").map(short)).toEqual(["added |a"]);
    expect(diffRows("a", "").map(short)).toEqual(["removed a|"]);
    expect(diffRows("", "")).toEqual([]);
  });

  it("numbers the lines of each side", () => {
    const rows = diffRows("x\na", "a\ny");
    expect(rows.map(({ left, right }) => [left?.number, right?.number])).toEqual([
      [1, undefined],
      [2, 1],
      [undefined, 2],
    ]);
  });

  it("loses no line of either text, in their order, however they differ", () => {
    const line = fc.constantFrom("a", "b", "c", "", "  d");
    const text = fc.array(line, { maxLength: 30 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        // A line break at the end is not a line.
        const before = [...left, "end"];
        const after = [...right, "end"];
        const rows = diffRows(before.join("\n"), after.join("\n"));
        expect(texts(rows, "left")).toEqual(before);
        expect(texts(rows, "right")).toEqual(after);
        for (const { kind, left: one, right: other } of rows)
          expect(kind === "same").toBe(one?.text === other?.text && one !== undefined);
      }),
    );
  });

  it("of large texts without a line in common ends soon", () => {
    const text = (mark: string): string =>
      Array.from({ length: 5_000 }, (_, index) => `${mark}${index}`).join("\n");
    const rows = diffRows(text("a"), text("b"));
    expect([texts(rows, "left").length, texts(rows, "right").length]).toEqual([5_000, 5_000]);
  });

  it("folds what is alike and far from a change", () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const rows = diffRows(lines.join("\n"), lines.with(10, "other").join("\n"));
    const parts = foldRows(rows).map(({ type, rows: held }) => `${type} ${held.length}`);
    expect(parts).toEqual(["fold 7", "rows 7", "fold 6"]);
    expect(foldRows([])).toEqual([]);
  });

  it("does not fold a single line, which takes as much room as what stands for it", () => {
    const rows = diffRows("0\n1\n2\n3\n4", "0\n1\n2\n3\nother");
    expect(foldRows(rows).every(({ type }) => type === "rows")).toBe(true);
  });
});
