import { describe, expect, it } from "vitest";
import { plainKey, readPlain } from "./kubectl-scalars.ts";

// What kubectl 1.34 made of each of these.
describe("readPlain", () => {
  it.each([
    ["", null],
    ["~", null],
    ["Null", null],
    ["y", true],
    ["On", true],
    ["YES", true],
    ["n", false],
    ["off", false],
    ["oN", "oN"],
    ["0x10", 16n],
    ["-0x10", -16n],
    ["0o10", 8n],
    ["010", 8n],
    ["-0777", -511n],
    ["08", 8],
    ["0b11", 3n],
    ["0b", "0b"],
    ["+1", 1n],
    ["-0", 0n],
    ["1_000", 1000n],
    ["_1", "_1"],
    ["1_0.5", 10.5],
    [".5_0", 0.5],
    ["._5", "._5"],
    ["1.", 1],
    ["5.e1", 50],
    ["1e3", 1000],
    ["1e400", "1e400"],
    ["18446744073709551615", 18_446_744_073_709_551_615n],
    ["18446744073709551616", 18_446_744_073_709_551_616],
    ["0x1ffffffffffffffff", "0x1ffffffffffffffff"],
    [".inf", Infinity],
    ["-.INF", -Infinity],
    [".nan", Number.NaN],
    ["NaN", "NaN"],
    ["inf", "inf"],
    ["12:30", "12:30"],
    ["2026-01-01", "2026-01-01"],
    ["0x1p4", "0x1p4"],
    ["1,000", "1,000"],
    ["=", "="],
  ])("reads %s as kubectl does", (text, value) => {
    expect(readPlain(text).value).toEqual(value);
  });

  it("takes a number of any length, in no time", () => {
    expect(readPlain("9".repeat(1_000_000)).kind).toBe("string");
  });
});

describe("plainKey", () => {
  it.each([
    ["on", "true"],
    ["No", "false"],
    ["True", "true"],
    ["1.10", "1.1"],
    ["1.0", "1"],
    ["010", "8"],
    ["1e-7", "1e-07"],
    ["0.0001", "0.0001"],
    ["100000000.5", "1e+08"],
    ["16777217.0", "1.6777216e+07"],
    ["123456.7", "123456.7"],
    ["1234567.8", "1.2345678e+06"],
    ["123456789012345678901234567890", "1.2345679e+29"],
    ["1e39", ".inf"],
    ["999999.0", "999999"],
    ["1000000.0", "1e+06"],
    ["18446744073709551616", "1.8446744e+19"],
    ["-0.0", "-0"],
    ["0.0", "0"],
    [".Inf", ".inf"],
    [".NaN", ".nan"],
    ["8080", "8080"],
    ["1e400", "1e400"],
    ["oN", "oN"],
    ["null", undefined],
    ["~", undefined],
    ["9223372036854775808", undefined],
    ["9223372036854775807", "9223372036854775807"],
  ])("names the field %s as kubectl does: %s", (text, name) => {
    expect(plainKey(text)).toBe(name);
  });
});
