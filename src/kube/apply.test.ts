import fc from "fast-check";
import { expect, test } from "vitest";
import { holds } from "./apply.ts";
import { quantityValue } from "./quantity.ts";

test.each([
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
  ["another quantity", { cpu: "1" }, { cpu: "1001m" }, false],
  ["null where a value is wanted", { a: null }, { a: "1" }, false],
])("%s", (_, live, wanted, expected) => {
  expect(holds(live, wanted)).toBe(expected);
});

test("whatever JSON it is, it holds itself", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => holds(value, structuredClone(value))));
});

test.each([
  ["500m", 0.5],
  ["0.5", 0.5],
  ["1.5Gi", 1.5 * 2 ** 30],
  ["1e3", 1_000],
  ["1E", 1e18],
  ["100k", 100_000],
  ["1.", 1],
  [".5", 0.5],
  ["", undefined],
  ["1 Gi", undefined],
  ["abc", undefined],
])("the quantity %j is %j", (text, value) => {
  expect(quantityValue(text)).toBe(value);
});
