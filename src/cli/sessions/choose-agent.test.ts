import { describe, expect, it } from "vitest";
import { readAgentName } from "./choose-agent.ts";

describe("the name of an agent", () => {
  it("may have its namespace before it, or beside it", () => {
    expect(readAgentName("support", undefined)).toEqual({ namespace: undefined, name: "support" });
    expect(readAgentName("support", "agents")).toEqual({ namespace: "agents", name: "support" });
    expect(readAgentName("agents/support", undefined)).toEqual({
      namespace: "agents",
      name: "support",
    });
    expect(readAgentName("agents/support", "agents")).toMatchObject({ namespace: "agents" });
  });

  it.each([
    ["", undefined],
    ["/support", undefined],
    ["agents/", undefined],
    ["a/b/c", undefined],
    ["agents/support", "other"],
  ])("is not %j with namespace %s", (text, namespace) => {
    expect(() => readAgentName(text, namespace)).toThrow("names no agent");
  });
});
