import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BannedWords } from "./banned-words.ts";

/** What is said of a text that comes in these pieces, until a word is found. */
function said(pieces: readonly string[], words: readonly string[], withinWords = false) {
  const judge = new BannedWords(words, { withinWords }).judge();
  const text = pieces.join("");
  let free = 0;
  for (const piece of pieces) {
    const next = judge.add(piece);
    if (next === undefined) return { said: text.slice(0, free), isRefused: true };
    expect(next).toBeGreaterThanOrEqual(free);
    free = next;
  }
  return judge.end()
    ? { said: text, isRefused: false }
    : { said: text.slice(0, free), isRefused: true };
}

const WORD = "offensive";
const SPELLINGS = [
  "offensive",
  "OFFENSIVE",
  "Offensive",
  "o\u0301ffe\u0300nsi\u0302ve",
  "óffènsîve",
  "offensive".toUpperCase(),
  "of\u200Bfen\u00ADsi\u2060ve",
  "oﬀensive",
  "𝐨𝐟𝐟𝐞𝐧𝐬𝐢𝐯𝐞",
];

describe("a banned word", () => {
  it.each(SPELLINGS)(
    "is found as %j wherever its text is cut, and nothing of it is said",
    (spelling) => {
      const before = "This is ";
      const text = `${before}${spelling} language`;
      for (let first = 0; first <= text.length; first += 1) {
        for (let second = first; second <= text.length; second += 1) {
          const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
          const result = said(pieces, [WORD]);
          expect(result.isRefused).toBe(true);
          expect(before.startsWith(result.said)).toBe(true);
        }
      }
    },
  );

  it("is found unit by unit, at the beginning and at the end of a text", () => {
    for (const text of ["offensive", "offensive words", "so offensive", "«offensive»"]) {
      const result = said(Array.from(text), [WORD]);
      expect(result.isRefused).toBe(true);
      expect(result.said.toLowerCase()).not.toContain("o".repeat(2));
      expect(text.slice(0, text.indexOf(WORD)).startsWith(result.said)).toBe(true);
    }
  });

  it.each(["inoffensive", "offensively", "offensives", "an offens ive one", "offen"])(
    "is not found in %j, which is said whole",
    (text) => {
      expect(said(Array.from(text), [WORD])).toEqual({ said: text, isRefused: false });
    },
  );

  it("is found within longer words where the pack says so", () => {
    expect(said(Array.from("quite inoffensively"), [WORD], true)).toEqual({
      said: "quite in",
      isRefused: true,
    });
  });

  it("may be several words, with blanks of any kind between them", () => {
    for (const text of ["a Trade  Secret here", "a trade\n\u00A0secret.", "a trade\tsecret"]) {
      expect(said(Array.from(text), ["trade secret"])).toEqual({ said: "a ", isRefused: true });
    }
    expect(said(["a trade", " union"], ["trade secret"]).isRefused).toBe(false);
  });

  it("is found in scripts that write no blanks between words", () => {
    expect(said(Array.from("这是坏话吗"), ["坏话"])).toEqual({ said: "这是", isRefused: true });
    expect(said(Array.from("ここはばか"), ["はか"]).isRefused).toBe(false);
  });

  it("holds a word back while one more letter could make it another", () => {
    const judge = new BannedWords([WORD], { withinWords: false }).judge();
    expect(judge.add("so offensive")).toBe(3);
    expect(judge.add("ly put")).toBe("so offensively put".length);
  });

  it("is found beside other words that begin or end alike", () => {
    const words = ["he", "she", "hers", "his"];
    expect(said(Array.from("ushers"), words).isRefused).toBe(false);
    expect(said(Array.from("ushers"), words, true)).toEqual({ said: "u", isRefused: true });
    expect(said(Array.from("that is hers"), words)).toEqual({ said: "that is ", isRefused: true });
  });

  it("is found, or not, just as in a text that comes whole", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", " ", "A", "\u0301", "é") });
    fc.assert(
      fc.property(
        fc.array(letters),
        fc.array(fc.constantFrom("a", "ab", "ba a", "bab", "e"), { minLength: 1 }),
        fc.boolean(),
        (pieces, words, withinWords) => {
          const text = pieces.join("");
          const whole = said([text], words, withinWords);
          const inPieces = said(pieces, words, withinWords);
          expect(inPieces.isRefused).toBe(whole.isRefused);
          expect(inPieces.said).toBe(whole.isRefused ? inPieces.said : text);
        },
      ),
    );
  });
});
