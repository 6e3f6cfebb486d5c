import { describe, expect, it } from "vitest";
import { BoundedMemory } from "./bounded-memory.ts";

describe("BoundedMemory", () => {
  it("forgets the oldest one beyond its bound, and none for one that takes its own place", () => {
    const memory = new BoundedMemory<number>(2);
    memory.set("a", 1);
    memory.set("b", 2);
    memory.set("b", 3);
    expect([memory.get("a"), memory.get("b")]).toEqual([1, 3]);
    memory.set("c", 4);
    expect([memory.get("a"), memory.get("b"), memory.get("c")]).toEqual([undefined, 3, 4]);
  });
});
