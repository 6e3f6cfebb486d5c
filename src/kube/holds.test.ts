import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { correctionOf, holds } from "./holds.ts";

describe("holds", () => {
  it.each([
    ["a field that others added", { a: 1, b: 2 }, { a: 1 }, true],
    ["a field of another value", { a: 2 }, { a: 1 }, false],
    ["a field that is missing", {}, { a: 1 }, false],
    ["a field that is not wanted in so many words", { a: 1 }, { a: 1, b: undefined }, true],
    ["an empty map that the server dropped", {}, { a: {} }, true],
    ["an empty list that the server dropped", {}, { a: [] }, true],
    ["an item too many", { a: [1, 2] }, { a: [1] }, false],
    ["items in another order", { a: [{ n: 1 }, { n: 2 }] }, { a: [{ n: 2 }, { n: 1 }] }, false],
    ["items with defaults filled in", { a: [{ n: 1, protocol: "TCP" }] }, { a: [{ n: 1 }] }, true],
    ["a quantity in the server's spelling", { cpu: "1" }, { cpu: "1000m" }, true],
    ["a quantity that was given as a number", { cpu: "2" }, { cpu: 2 }, true],
    ["a quantity in other units", { memory: "1.5Gi" }, { memory: "1536Mi" }, true],
    ["a fraction of a quantity", { cpu: "100" }, { cpu: "0.1k" }, true],
    ["another quantity", { cpu: "1" }, { cpu: "1001m" }, false],
    ["an empty text that the server dropped", { name: "A" }, { name: "A", value: "" }, true],
    ["an empty text where there is one", { value: "1" }, { value: "" }, false],
    [
      "a key too many in a selector",
      { selector: { a: "1", b: "2" } },
      { selector: { a: "1" } },
      false,
    ],
    ["null where a value is wanted", { a: null }, { a: "1" }, false],
  ])("%s", (_, live, wanted, expected) => {
    expect(holds(live, wanted)).toBe(expected);
  });

  it("whatever JSON it is, it holds itself", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => holds(value, structuredClone(value))));
  });

  it("corrects no more than what differs, and takes out what others added where it matters", () => {
    const live = {
      metadata: { labels: { theirs: "x" } },
      spec: {
        selector: { app: "a", theirs: "x" },
        ports: [{ port: 1, protocol: "TCP" }],
        template: {
          containers: [{ name: "a", image: "i", policy: "default" }, { name: "theirs" }],
        },
        kept: 1,
      },
    };
    const wanted = {
      metadata: { labels: { ours: "y" } },
      spec: {
        selector: { app: "a" },
        ports: [{ port: 1 }],
        template: { containers: [{ name: "a", image: "i" }] },
      },
    };
    expect(correctionOf(live, wanted)).toEqual({
      metadata: { labels: { ours: "y" } },
      spec: { selector: { theirs: null }, template: { containers: [{ name: "a", image: "i" }] } },
    });
  });
});
