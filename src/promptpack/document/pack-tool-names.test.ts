import { describe, expect, it } from "vitest";
import { isPackToolName, memberToolName } from "./pack-tool-names.ts";

describe("the tool that asks a member", () => {
  it("has the name of the member", () => {
    expect(memberToolName("billing_agent-2")).toBe("ask_billing_agent-2");
  });

  it("has a name that every provider takes, and that no other member has", () => {
    const names = ["a b", "a.b", "é", "x".repeat(100), `${"x".repeat(100)}y`].map(memberToolName);
    for (const name of names) expect(name).toMatch(/^ask_[a-zA-Z0-9_-]{1,60}$/);
    expect(new Set(names).size).toBe(names.length);
  });

  it("may be blocked, as other tools of a pack", () => {
    const all = ["ask_billing", "load_skill", "workflow__transition"];
    expect(all.map(isPackToolName)).toEqual([true, true, true]);
    expect(isPackToolName("lookup")).toBe(false);
  });
});
