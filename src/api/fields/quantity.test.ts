import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuantity } from "./quantity.ts";

const UNIT = 10n ** 9n;

describe("parseQuantity", () => {
  it.each<[string | number, bigint]>([
    [2, 2n * UNIT],
    ["2", 2n * UNIT],
    ["+2", 2n * UNIT],
    ["500m", UNIT / 2n],
    ["0.5", UNIT / 2n],
    [".5", UNIT / 2n],
    ["1.", UNIT],
    ["5.", 5n * UNIT],
    ["1k", 1_000n * UNIT],
    ["100k", 100_000n * UNIT],
    ["1Ki", 1_024n * UNIT],
    ["1.5Gi", 1_610_612_736n * UNIT],
    ["1E", 10n ** 18n * UNIT],
    ["1e3", 1_000n * UNIT],
    ["1E+3", 1_000n * UNIT],
    ["1e-3", UNIT / 1_000n],
    ["100n", 100n],
    // What is finer than a billionth is rounded up.
    ["0.1n", 1n],
  ])("reads %s", (quantity, billionths) => {
    expect(parseQuantity(quantity)).toBe(billionths);
  });

  it.each(["", "-1", -1, "lots", "abc", "1KB", "1 Gi", "1gi", "1e", "1e1.5", "1".repeat(33)])(
    "takes %j for none",
    (quantity) => {
      expect(parseQuantity(quantity)).toBeUndefined();
    },
  );

  it("keeps the order of numbers whatever their unit", () => {
    const unit = fc.constantFrom("", "k", "M", "Ki", "Mi", "m", "e2");
    const factor: Record<string, number> = {
      "": 1,
      k: 1e3,
      M: 1e6,
      Ki: 1024,
      Mi: 1024 ** 2,
      m: 1e-3,
      e2: 100,
    };
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), unit, fc.nat({ max: 1e6 }), unit, (a, unitA, b, unitB) => {
        const [one, other] = [a * (factor[unitA] ?? 0), b * (factor[unitB] ?? 0)];
        fc.pre(Math.abs(one - other) > 1e-6);
        const read = (number: number, suffix: string) => parseQuantity(`${number}${suffix}`) ?? 0n;
        expect(read(a, unitA) < read(b, unitB)).toBe(one < other);
      }),
    );
  });
});
