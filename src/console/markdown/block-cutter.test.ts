import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockCutter, MAX_BLOCK_LENGTH, type MarkdownBlock } from "./block-cutter.ts";

describe("the cutter of blocks", () => {
  it("cuts at blank lines and takes code between fences as a block", () => {
    expect(blocksOf(["# Title\ntext\n\nmore\n```ts\nlet a;\n\nlet b;\n```\nend"])).toEqual([
      { type: "markdown", text: "# Title\ntext\n\n" },
      { type: "markdown", text: "more\n" },
      { type: "code", text: "let a;\n\nlet b;\n", language: "ts" },
      { type: "markdown", text: "end" },
    ]);
  });

  it("leaves what is indented below a blank line with its list", () => {
    const list = "- one\n\n  more of one\n- two\n\n  ```sh\n  ls\n\n  cd\n  ```\n";
    expect(blocksOf([list])).toEqual([{ type: "markdown", text: list }]);
  });

  it("knows an open fence as code", () => {
    expect(blocksOf(["```js\nlet a"])).toEqual([{ type: "code", text: "let a", language: "js" }]);
    expect(blocksOf(["```js\nlet a\n``"])).toEqual([
      { type: "code", text: "let a\n", language: "js" },
    ]);
  });

  it("loses nothing, has no block over the limit, and cuts the same however the text is handed over", () => {
    const line = fc.constantFrom(
      ..."abc|# head|- item|  more|```|~~~~|```ts|  ```|> quote|1. one||   |😀😀|a`b".split("|"),
      "x".repeat(5_000),
      "😀".repeat(3_000),
    );
    const text = fc.array(line, { maxLength: 40 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 200 }), (whole, cuts) => {
        const pieces: string[] = [];
        let from = 0;
        for (const length of cuts) {
          pieces.push(whole.slice(from, from + length));
          from += length;
        }
        pieces.push(whole.slice(from));
        const blocks = blocksOf(pieces);
        expect(blocks).toEqual(blocksOf([whole]));
        for (const block of blocks) {
          expect(block.text.length).toBeLessThanOrEqual(2 * MAX_BLOCK_LENGTH);
          expect(block.text.isWellFormed()).toBe(true);
        }
        const letters = (value: string): string => value.replaceAll(/[^a-z😀]/gu, "");
        const shown = blocks.map(({ text }) => text).join("");
        // Words behind a fence name its language, and are not shown.
        expect(letters(shown).replaceAll("ts", "")).toBe(letters(whole).replaceAll("ts", ""));
      }),
    );
  });

  it("never changes a block that it has closed", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "\n", "```", " ", "- ", "\n\n")), (pieces) => {
        const cutter = new BlockCutter();
        let before: MarkdownBlock[] = [];
        for (const piece of pieces) {
          cutter.append(piece);
          expect(cutter.closed.slice(0, before.length)).toEqual(before);
          before = [...cutter.closed];
        }
      }),
    );
  });
});

function blocksOf(pieces: readonly string[]): MarkdownBlock[] {
  const cutter = new BlockCutter();
  for (const piece of pieces) cutter.append(piece);
  return [...cutter.closed, ...(cutter.open === undefined ? [] : [cutter.open])];
}
