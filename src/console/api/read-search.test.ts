import { describe, expect, it } from "vitest";
import { readSearch } from "./read-search.ts";

describe("the query of an address", () => {
  const read = readSearch("q", "ns");

  it.each([
    [{ q: "bot" }, { q: "bot" }],
    // The router reads these as JSON.
    [{ q: 12 }, { q: "12" }],
    [
      { q: true, ns: 0 },
      { q: "true", ns: "0" },
    ],
    [{ q: "", other: "x" }, {}],
    [{ q: { a: 1 }, ns: ["x"] }, {}],
    [{ q: null }, {}],
    [{ q: "x".repeat(300) }, { q: "x".repeat(256) }],
    [JSON.parse('{"__proto__":{"q":"x"}}') as Record<string, unknown>, {}],
  ])("%j is read as %j", (search, expected) => {
    expect(read(search)).toEqual(expected);
  });
});
