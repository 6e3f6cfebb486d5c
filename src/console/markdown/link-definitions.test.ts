import { describe, expect, it } from "vitest";
import { BlockCutter } from "./block-cutter.ts";
import { LinkDefinitions } from "./link-definitions.ts";

/** What is given to each block of a text, handed over in pieces. */
function givenTo(...pieces: string[]): string[] {
  const cutter = new BlockCutter();
  const definitions = new LinkDefinitions();
  for (const piece of pieces) {
    cutter.append(piece);
    definitions.take(cutter.closed, undefined);
  }
  definitions.take(cutter.closed, cutter.open);
  const blocks = [...cutter.closed, ...(cutter.open === undefined ? [] : [cutter.open])];
  return blocks.map((block) => definitions.of(block));
}

describe("definitions of links", () => {
  it("are given to the blocks that refer to them, wherever they stand", () => {
    const first = '[one]: https://one.example/ "Title"';
    expect(givenTo(`See [a][one].\n\nNothing.\n\n[ONE] and [two]\n\n${first}\n`)).toEqual([
      `${first}\n`,
      "",
      `${first}\n`,
      `${first}\n`,
    ]);
  });

  it("are the same however the text is handed over", () => {
    const text =
      "[a  b]\n\n[two][]\n\ntext\n\n[A b]: https://a.example/\n[two]: https://b.example/";
    const whole = givenTo(text);
    expect(whole[0]).toBe("[A b]: https://a.example/\n");
    expect(givenTo(...text.split(""))).toEqual(whole);
  });

  it.each([
    ["code", "```\n[a]: https://a.example/\n```\n\n[a]"],
    ["a footnote", "[^a]: https://a.example/\n\n[^a]"],
    ["what is indented as code", "    [a]: https://a.example/\n\n[a]"],
    ["a name without an address", "[a]:\n\n[a]"],
  ])("are not taken from %s", (_, text) => {
    expect(givenTo(text).join("")).toBe("");
  });

  it("of one name count once, and no more than some are kept", () => {
    expect(givenTo("[a]\n\n[a]: https://a.example/\n\n[a]: https://b.example/")[0]).toBe(
      "[a]: https://a.example/\n",
    );
    const names = Array.from({ length: 500 }, (_, index) => `n${index}`);
    const given = givenTo(
      names.map((name) => `[${name}]`).join(" "),
      "\n\n",
      names.map((name) => `[${name}]: https://a.example/`).join("\n"),
    );
    expect(given[0]?.split("\n")).toHaveLength(64 + 1);
  });
});
