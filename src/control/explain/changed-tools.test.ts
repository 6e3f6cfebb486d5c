import { describe, expect, it } from "vitest";
import { changedToolNotes } from "./changed-tools.ts";

const changed = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ server: "docs", tool: `tool-${index}` }));

describe("what is said of tools that have changed", () => {
  it("names each with its server", () => {
    expect(changedToolNotes([])).toEqual([]);
    expect(changedToolNotes(changed(1))).toEqual([
      'Tool "tool-0" of the server of "docs" has another description or other arguments than when it was read before. See what its server says of it now; leave it out of allow if it is not to be trusted',
    ]);
  });

  it("names the first ones of many, and counts the others", () => {
    const notes = changedToolNotes(changed(1_000));
    expect(notes).toHaveLength(11);
    expect(notes.at(-1)).toBe("Other tools have changed too: 990 of them");
  });
});
