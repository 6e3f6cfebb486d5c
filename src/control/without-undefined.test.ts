import { describe, expect, it } from "vitest";
import { withoutUndefined } from "./without-undefined.ts";

describe("withoutUndefined", () => {
  it("drops fields that are undefined, at any depth, and nothing else", () => {
    const value = {
      none: undefined,
      null: null,
      empty: "",
      zero: 0,
      deep: { none: undefined, list: [{ none: undefined, one: 1 }] },
    };
    expect(withoutUndefined(value)).toStrictEqual({
      null: null,
      empty: "",
      zero: 0,
      deep: { list: [{ one: 1 }] },
    });
  });

  it("keeps a field that is called like something of every object", () => {
    const value = JSON.parse('{"__proto__": {"a": 1}}') as object;
    expect(JSON.stringify(withoutUndefined(value))).toBe('{"__proto__":{"a":1}}');
  });
});
