import { describe, expect, test } from "vitest";
import { hostOf } from "./host-of.ts";

describe("hostOf", () => {
  test.each([
    ["localhost:8080", "localhost"],
    ["[::1]:8080", "[::1]"],
    ["agents.example", "agents.example"],
    ["", undefined],
    [undefined, undefined],
    ["localhost/../evil", undefined],
    ["user@localhost", undefined],
  ])("reads %s as %s", (header, host) => {
    expect(hostOf(header)).toBe(host);
  });
});
