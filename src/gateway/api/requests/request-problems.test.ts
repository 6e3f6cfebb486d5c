import { describe, expect, it } from "vitest";
import { z } from "zod";
import { listQuery, objectParameters } from "./parameters.ts";
import { requestProblems } from "./request-problems.ts";

const body = z.strictObject({ afterTurn: z.string(), ids: z.array(z.int()).max(1).optional() });

describe("a request that cannot be understood", () => {
  it.each<[string, z.ZodType, unknown, string]>([
    ["query", listQuery, { limit: "0" }, "limit has to be at least 1"],
    ["query", listQuery, { limit: "x" }, "limit has to be a number"],
    ["query", listQuery, { limit: "1.5" }, "limit has to be a whole number"],
    ["query", listQuery, { q: "x".repeat(300) }, "q has to have at most 256 characters"],
    ["query", listQuery, { namespace: "A" }, "namespace is no name of a namespace"],
    ["param", objectParameters, { namespace: "a", name: "-" }, "name is no name of a resource"],
    ["json", body, {}, "afterTurn has to be a text"],
    ["json", body, "x", "the body has to be an object"],
    ["json", body, { afterTurn: "1", ids: [1, 2] }, "ids has to have at most 1 items"],
    ["json", body, { afterTurn: "1", ids: ["1"] }, "ids.0 has to be a number"],
    [
      "json",
      body,
      { afterTurn: "1", other: 1 },
      "the body has fields that nobody reads, and that have to go: other",
    ],
    [
      "query",
      z.object({ state: z.enum(["a", "b"]) }),
      { state: "c" },
      "state has to be one of: a, b",
    ],
  ])("is told where and how it is wrong: %s %#", (part, schema, value, says) => {
    const issues = schema.safeParse(value).error?.issues ?? [];
    expect(requestProblems(issues, part)).toBe(says);
  });
});
