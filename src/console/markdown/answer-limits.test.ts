import { describe, expect, it } from "vitest";
import {
  MAX_MARKDOWN_LENGTH,
  markdownLength,
  plainPieces,
  shownAfterStep,
} from "./answer-limits.ts";

describe("the limits of an answer", () => {
  it("leave an answer of a usual length as Markdown, and no more than so much of a longer one", () => {
    expect(markdownLength("")).toBe(0);
    expect(markdownLength("a".repeat(100_000))).toBe(100_000);
    expect(markdownLength("a".repeat(1_000_000))).toBe(MAX_MARKDOWN_LENGTH);
  });

  it("cut through no character", () => {
    const text = `${"a".repeat(MAX_MARKDOWN_LENGTH - 1)}${"😀".repeat(20_000)}`;
    const length = markdownLength(text);
    expect(length).toBe(MAX_MARKDOWN_LENGTH - 1);
    const pieces = plainPieces(text, length);
    expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
    expect(pieces.join("")).toBe(text.slice(length));
  });

  it("keep all pieces but the last one while the text grows", () => {
    const text = "abc ".repeat(50_000);
    const before = plainPieces(text.slice(0, 150_000), 0);
    const after = plainPieces(text, 0);
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    expect(after.length).toBeGreaterThan(before.length);
    expect(plainPieces(text, text.length)).toEqual([]);
  });

  it("show blocks in steps, at least one in each", () => {
    const blocks = Array.from({ length: 5 }, () => ({ text: "a".repeat(8_000) }));
    expect(shownAfterStep(blocks, 0)).toBe(2);
    expect(shownAfterStep(blocks, 2)).toBe(4);
    expect(shownAfterStep(blocks, 4)).toBe(5);
    expect(shownAfterStep(blocks, 5)).toBe(5);
    expect(shownAfterStep([{ text: "a".repeat(100_000) }, { text: "b" }], 0)).toBe(1);
    const small = Array.from({ length: 1_000 }, () => ({ text: "a".repeat(100) }));
    expect(shownAfterStep(small, 0)).toBe(160);
  });
});
