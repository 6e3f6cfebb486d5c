import { describe, expect, it } from "vitest";
import { PairMemory } from "./pair-memory.ts";

describe("PairMemory", () => {
  it("finds something once for each pair", () => {
    const memory = new PairMemory<object, object, { found: number }>();
    const [a, b, c] = [{}, {}, {}];
    let count = 0;
    const find = () => ({ found: (count += 1) });
    const first = memory.of(a, b, find);
    expect(memory.of(a, b, find)).toBe(first);
    expect(memory.of(a, c, find)).toEqual({ found: 2 });
    expect(memory.of(b, a, find)).toEqual({ found: 3 });
    expect(memory.of(a, b, find)).toBe(first);
  });
});
