import { describe, expect, it } from "vitest";
import { positionInBlock } from "./content-position.ts";

const content = '{\n  "a": 1\n}\n';

describe("positionInBlock", () => {
  it("finds a place of a literal block, however it is indented", () => {
    const file = 'data:\n    pack.json: |\n        {\n          "a": 1\n        }\n';
    const block = { line: 2, column: 16 };
    expect(positionInBlock(file, block, content, { line: 2, column: 3 })).toEqual({
      line: 4,
      column: 11,
    });
  });

  it("finds it in a file with line ends of Windows", () => {
    const file = 'data:\r\n  p: |-\r\n    {\r\n      "a": 1\r\n    }\r\n';
    expect(
      positionInBlock(file, { line: 2, column: 6 }, content.trimEnd(), { line: 2, column: 3 }),
    ).toEqual({ line: 4, column: 7 });
  });

  it("gives the block itself where lines are not the content's own, or no line is known", () => {
    const quoted = 'data:\n  p: "{\\n  \\"a\\": 1\\n}\\n"\n';
    const folded = 'data:\n  p: >\n    {\n    "a": 1\n    }\n';
    const block = { line: 2, column: 6 };
    expect(positionInBlock(quoted, block, content, { line: 2, column: 3 })).toBe(block);
    expect(positionInBlock(folded, block, content, { line: 2, column: 3 })).toBe(block);
    expect(positionInBlock(quoted, block, content, {})).toBe(block);
  });
});
