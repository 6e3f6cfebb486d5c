import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WholeCharacters } from "./whole-characters.ts";

describe("the pieces of a text", () => {
  it.each([
    [
      ["a", "b"],
      ["a", "b"],
    ],
    [
      ["Nice \ud83d", "\ude00!"],
      ["Nice ", "😀!"],
    ],
    [
      ["\ud83d", "", "\ude00"],
      ["", "", "😀"],
    ],
    [["Nice \ud83d"], ["Nice "]],
    [
      ["\ud83d", "x"],
      ["", "\uFFFDx"],
    ],
    [["x\ude00y"], ["x\uFFFDy"]],
  ])("%j are passed on as %j", (pieces, wanted) => {
    const characters = new WholeCharacters();
    expect(pieces.map((piece) => characters.take(piece))).toEqual(wanted);
  });

  it("are together the text that was split, wherever it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat(20)), (text, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < text.length), text.length].sort(
          (a, b) => a - b,
        );
        const characters = new WholeCharacters();
        const passedOn = at
          .slice(1)
          .map((cut, index) => characters.take(text.slice(at[index], cut)));
        expect(passedOn.join("")).toBe(text);
        expect(passedOn.every((piece) => piece.isWellFormed())).toBe(true);
      }),
    );
  });
});
