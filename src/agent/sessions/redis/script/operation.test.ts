import { describe, expect, it } from "vitest";
import { defineOperation } from "./operation.ts";

describe("an operation", () => {
  const operation = defineOperation({
    keys: ["session", "frames"],
    arguments: { lease: "number", old: "list", turnId: "text", young: "list" },
    lua: "return 1",
    encode: ({ lease, turnId }: { lease: number; turnId: string }) => ({
      young: ["y"],
      old: ["o1", "o2"],
      turnId,
      lease,
    }),
    read: (reply) => reply === 1,
  });

  it("names each key and argument in its script, in place of its position", () => {
    expect(operation.text.split("\n")).toEqual([
      "local session = KEYS[1]",
      "local frames = KEYS[2]",
      "local lease = tonumber(ARGV[1])",
      "local turnId = ARGV[2]",
      "local oldCount = tonumber(ARGV[3])",
      "local oldAt = 5",
      "local youngCount = tonumber(ARGV[4])",
      "local youngAt = oldAt + oldCount",
      "return 1",
    ]);
  });

  it("gives the arguments where its script looks for them, whatever their order in the code", () => {
    expect(operation.encode({ lease: 15_000, turnId: "t1" })).toEqual([
      "15000",
      "t1",
      "2",
      "1",
      "o1",
      "o2",
      "y",
    ]);
  });

  it("has the name that Redis gives to its script", () => {
    expect(operation.sha1).toMatch(/^[0-9a-f]{40}$/);
  });
});
