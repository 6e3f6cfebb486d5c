import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineEdits, MAX_LINE_EDITS, type LineEdit } from "./line-edits.ts";

const shown = (edits: readonly LineEdit[]): string =>
  edits.map(({ kind, text }) => ({ same: " ", removed: "-", added: "+" })[kind] + text).join(",");
const side = (edits: readonly LineEdit[], other: LineEdit["kind"]): string[] =>
  edits.filter(({ kind }) => kind !== other).map(({ text }) => text);

describe("lineEdits", () => {
  it.each([
    [["a", "b", "c"], ["a", "x", "c"], " a,-b,+x, c"],
    [["a"], ["a"], " a"],
    [[], ["a"], "+a"],
    [["a"], [], "-a"],
    [["a", "b"], ["b", "a"], "-a, b,+a"],
    [["x", "a", "b", "c"], ["a", "b", "y", "c"], "-x, a, b,+y, c"],
  ])("of %j and %j", (before, after, expected) => {
    expect(shown(lineEdits(before, after))).toBe(expected);
  });

  it("hold both texts, whatever these are, and never touch what is longest in common", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 14 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const edits = lineEdits(before, after);
        expect(side(edits, "added")).toEqual(before);
        expect(side(edits, "removed")).toEqual(after);
        const same = edits.filter(({ kind }) => kind === "same").length;
        expect(same).toBe(longestInCommon(before, after));
      }),
    );
  });

  it("replace all of two long texts that have too little in common", () => {
    const before = Array.from({ length: MAX_LINE_EDITS }, (_, index) => `before ${index}`);
    const after = Array.from({ length: MAX_LINE_EDITS }, (_, index) => `after ${index}`);
    const edits = lineEdits(["first", ...before, "last"], ["first", ...after, "last"]);
    expect(side(edits, "added")).toEqual(["first", ...before, "last"]);
    expect(side(edits, "removed")).toEqual(["first", ...after, "last"]);
  });
});

function longestInCommon(a: readonly string[], b: readonly string[]): number {
  let above = Array.from({ length: b.length + 1 }, () => 0);
  for (const line of a) {
    const row = [0];
    for (const [index, other] of b.entries()) {
      row.push(
        line === other ? (above[index] ?? 0) + 1 : Math.max(above[index + 1] ?? 0, row[index] ?? 0),
      );
    }
    above = row;
  }
  return above.at(-1) ?? 0;
}
