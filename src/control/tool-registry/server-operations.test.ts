import { describe, expect, it } from "vitest";
import type { KnownList } from "../../tool-servers/lists/known-list.ts";
import type { OpenApiList } from "../../tool-servers/openapi/openapi-list.ts";
import { MAX_OPERATIONS_BYTES } from "../../tool-servers/server/limits.ts";
import { operationsOf, ServerOperations } from "./server-operations.ts";

function aList(bytes = 0): OpenApiList {
  const operation = {
    name: "find",
    description: "x".repeat(bytes),
    inputSchema: {},
    method: "GET" as const,
    url: "https://shop.example/find",
    parameters: [],
  };
  return { state: "read", isOpenApi: true, tools: [operation], unsupported: [] };
}
const failed = { state: "failed", reason: "Unreachable", message: "" } as const;

describe("the operations of a registry's openapi servers", () => {
  it("are those that were read last", () => {
    const list = aList();
    expect(operationsOf(list)).toEqual(list.tools);
    expect(operationsOf({ ...failed, before: list })).toEqual(list.tools);
    expect(operationsOf({ ...failed, before: undefined })).toBeUndefined();
    expect(operationsOf(undefined)).toBeUndefined();
    expect(operationsOf({ state: "read", tools: [], unsupported: [] })).toBeUndefined();
  });

  it("are taken as long as they fit into a config together", () => {
    const operations = new ServerOperations();
    const half = aList(MAX_OPERATIONS_BYTES / 2 + 1);
    const mcp: KnownList = { state: "read", tools: [], unsupported: [] };
    expect(operations.fitting(half)).toBe(half);
    expect(operations.fitting(mcp)).toBe(mcp);
    expect(operations.fitting(undefined)).toBeUndefined();
    expect(operations.fitting({ ...half })).toEqual({
      state: "failed",
      reason: "InvalidTool",
      message:
        "its operations take 129 KiB, and those of a registry may take 256 KiB together; allow fewer of them, or put them into another registry",
      before: undefined,
    });
    const small = aList();
    expect(operations.fitting(small)).toBe(small);
  });
});
