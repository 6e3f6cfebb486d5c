import { describe, expect, it } from "vitest";
import { readArguments } from "./read-arguments.ts";

describe("edited arguments", () => {
  it("are an object", () => {
    expect(readArguments('{"amount": 30}')).toEqual({ ok: true, arguments: { amount: 30 } });
  });

  it.each(["", "{", "[]", "null", '"text"', "1"])("are not %j", (text) => {
    expect(readArguments(text)).toMatchObject({ ok: false });
  });
});
