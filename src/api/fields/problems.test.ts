import { describe, expect, it } from "vitest";
import { toolEntrySchema } from "../tool-registry.ts";
import { formatPath, validate } from "./problems.ts";

function problemsOf(entry: object): string[] {
  const result = validate(toolEntrySchema, { name: "a", url: "http://tools.example/", ...entry });
  return result.ok
    ? []
    : result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

describe("a value of the wrong type", () => {
  it.each<[string, object, string[]]>([
    [
      "a text in place of a short list",
      { forward: "subject", authSecretRef: { name: "a", key: "b" } },
      ["forward: must be a list, not a string"],
    ],
    [
      "a long text in place of a list",
      { type: "mcp", url: undefined, mcp: { transport: "stdio", command: "npx ".repeat(40) } },
      ["mcp.command: must be a list, not a string"],
    ],
    [
      "an empty text in place of a list",
      { type: "mcp", url: undefined, mcp: { transport: "stdio", command: "" } },
      ["mcp.command: must be a list, not a string"],
    ],
    [
      "a list in place of a text",
      { description: ["a", "b"] },
      ['description: must be a string, not a list; write its text behind "|"'],
    ],
  ])("is one problem: %s", (_what, entry, problems) => {
    expect(problemsOf(entry)).toEqual(problems);
  });

  it("does not hide the size of another value", () => {
    const allow = Array.from({ length: 257 }, (_, index) => `tool-${index}`);
    expect(problemsOf({ type: "mcp", allow, port: {}, description: "x".repeat(5_000) })).toEqual(
      expect.arrayContaining([
        "allow: must have at most 256 items",
        "description: must have at most 4096 characters",
      ]),
    );
  });
});
