import { describe, expect, it } from "vitest";
import { newTurnId } from "./turn-id.ts";

describe("the id of a turn", () => {
  it("is a random UUID of version 4", () => {
    for (let made = 0; made < 1_000; made++) {
      expect(newTurnId()).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }
  });

  it("is another one each time, also past what is made at once", () => {
    const ids = Array.from({ length: 5_000 }, newTurnId);
    expect(new Set(ids).size).toBe(ids.length);
    // Each digit takes each value somewhere, but for the two that are fixed.
    const varying = Array.from({ length: 36 }, (_, at) => new Set(ids.map((id) => id[at])).size);
    expect(varying.filter((values) => values === 16)).toHaveLength(30);
    expect(varying[14]).toBe(1);
    expect(varying[19]).toBe(4);
  });
});
