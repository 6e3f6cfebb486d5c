import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLenient } from "./lenient-json.ts";

describe("the data of an event", () => {
  it.each<[string, string, unknown[] | undefined]>([
    ["one value", '{"a":1}', [{ a: 1 }]],
    ["one value over several lines", '{"a":\n1}', [{ a: 1 }]],
    ["a value in every line", '{"a":1}\n{"b":2}', [{ a: 1 }, { b: 2 }]],
    ["the name of the field twice", 'data: data: {"a":1}', [{ a: 1 }]],
    ["line breaks and tabs within a string", '{"a":"x\n\ty"}', [{ a: "x\n\ty" }]],
    [
      "numbers that JSON does not have",
      '{"a":[NaN,Infinity,-Infinity,-1],"b":"NaN"}',
      [{ a: [null, null, null, -1], b: "NaN" }],
    ],
    [
      "objects one behind the other",
      '{"a":"}{"} {"b":{}}data: {"c":3}',
      [{ a: "}{" }, { b: {} }, { c: 3 }],
    ],
    ["an object behind which another one was cut", '{"a":1}{"b":', undefined],
    ["a text that was cut", '{"a":"x', undefined],
    ["no JSON", "ping", undefined],
    ["nothing", "", undefined],
  ])("is read when it has %s", (_what, data, wanted) => {
    expect(parseLenient(data)).toEqual(wanted);
  });

  it("is what JSON.parse makes of it wherever it is JSON", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(parseLenient(json)).toEqual([JSON.parse(json)]);
      }),
    );
  });
});
