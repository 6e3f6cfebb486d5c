import { describe, expect, it } from "vitest";
import { aTool } from "../../../../test/support/builders/agent-config.ts";
import { findTool } from "./find-tool.ts";

const url = "http://tools/";
const tools = [
  aTool({ name: "look-up", url }),
  aTool({ name: "look_up", url }),
  aTool({ name: "get-user", url }),
];

describe("findTool", () => {
  it("finds a tool by its name, or by its name with underscores", () => {
    expect(findTool(tools, "get-user")).toBe(tools[2]);
    expect(findTool(tools, "get_user")).toBe(tools[2]);
    expect(findTool(tools, "get_users")).toBeUndefined();
  });

  it("finds a tool by its name with blanks around it, and by no other", () => {
    expect(findTool(tools, " get-user\n")).toBe(tools[2]);
    expect(findTool(tools, "functions.get-user")).toBeUndefined();
  });

  it("prefers the very name", () => {
    expect(findTool(tools, "look_up")).toBe(tools[1]);
    expect(findTool(tools, "look-up")).toBe(tools[0]);
  });
});
