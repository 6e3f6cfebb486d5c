import { describe, expect, it } from "vitest";
import { Rows } from "./rows.ts";

type Step = "add" | "dropFirst" | "dropLast";

function check(rows: Rows<number>, expected: readonly (readonly number[])[]): void {
  expect(rows.length).toBe(expected.length);
  const found = expected.map((_, row) => [rows.at(row, 0), rows.at(row, 1)]);
  expect(found).toEqual(expected);
}

describe("Rows", () => {
  it("is empty, and stays so when a row is dropped that it does not have", () => {
    const rows = new Rows<number>(2, 0);
    rows.dropFirst();
    rows.dropLast();
    check(rows, []);
  });

  // Each way goes over the borders of several blocks, up and down.
  it.for<[string, (at: number) => Step]>([
    ["at its end", (at) => (at < 200 ? "add" : "dropLast")],
    ["at its begin", (at) => (at < 200 ? "add" : "dropFirst")],
    ["at both ends", (at) => (at < 200 ? "add" : at % 3 === 0 ? "dropLast" : "dropFirst")],
    ["while others come", (at) => (at % 3 === 2 ? "dropFirst" : "add")],
    ["as they come", (at) => (at % 2 === 0 ? "add" : at % 4 === 1 ? "dropFirst" : "dropLast")],
    ["and added anew", (at) => (at % 300 < 150 ? "add" : at % 2 === 0 ? "dropFirst" : "dropLast")],
  ])("has the rows that were added and not dropped %s", ([, stepAt]) => {
    const rows = new Rows<number>(2, 0);
    const expected: number[][] = [];
    for (let at = 0; at < 700; at++) {
      const step = stepAt(at);
      if (step === "add") {
        rows.end().push(at, -at);
        expected.push([at, -at]);
      } else {
        rows[step]();
        if (step === "dropFirst") expected.shift();
        else expected.pop();
      }
      check(rows, expected);
    }
  });

  it("does not keep what was dropped", () => {
    const rows = new Rows<object | undefined>(1, undefined);
    const block = rows.end();
    block.push({}, {});
    rows.dropFirst();
    expect(block[0]).toBeUndefined();
    expect(rows.at(0, 0)).toBe(block[1]);
  });
});
