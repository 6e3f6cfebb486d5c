import { describe, expect, it } from "vitest";
import type { SkillConfig } from "../../../agent-config/agent-config.ts";
import { loadSkillTool, withPreloaded } from "./load-skill.ts";

const refunds = { name: "refunds", description: "How to\nrefund", instructions: "Pay it back." };
const fees: SkillConfig = {
  name: "fees",
  description: "What costs what",
  instructions: "See the list.",
  files: { "references.list.md": "Everything is free." },
};

const call = (skills: readonly SkillConfig[], toolArguments: Record<string, unknown>) =>
  loadSkillTool(skills)?.server.call("load_skill", toolArguments, {
    signal: new AbortController().signal,
    timeoutMs: 1_000,
  });

describe("the tool that loads skills", () => {
  it("lists them in its description", () => {
    const tool = loadSkillTool([refunds, fees]);
    expect(tool?.name).toBe("load_skill");
    expect(tool?.description).toContain("- refunds: How to refund\n- fees: What costs what");
    expect(tool?.inputSchema["properties"]).toMatchObject({ name: { enum: ["refunds", "fees"] } });
  });

  it("is not there without a skill to load", () => {
    expect(loadSkillTool([])).toBeUndefined();
    expect(loadSkillTool([{ ...refunds, preload: true }])).toBeUndefined();
  });

  it("gives the instructions, and names the files of the skill", async () => {
    expect(await call([refunds], { name: "refunds" })).toEqual({ result: "Pay it back." });
    expect(await call([fees], { name: "fees" })).toEqual({
      result: expect.stringMatching(
        /^See the list\.\n\nFiles of this skill.*references\.list\.md/s,
      ),
    });
  });

  it.each(["references/list.md", "./references/list.md", "references.list.md"])(
    "gives a file of a skill (%s)",
    async (file) => {
      expect(await call([fees], { name: "fees", file })).toEqual({ result: "Everything is free." });
    },
  );

  it("says which skills and files there are", async () => {
    expect(await call([refunds, fees], { name: "fees", file: "constructor" })).toEqual({
      error: 'the skill has no file "constructor"; its files are: references.list.md',
    });
    expect(await call([refunds], { name: "other" })).toEqual({
      error: 'there is no skill "other"',
    });
  });

  it("cuts long descriptions", () => {
    const tool = loadSkillTool([{ ...refunds, description: "x".repeat(5_000) }]);
    expect(tool?.description.length).toBeLessThan(1_300);
  });
});

describe("skills that are a part of the prompt", () => {
  it("stand behind it", () => {
    expect(withPreloaded("Be kind.", [{ ...refunds, preload: true }, fees])).toBe(
      "Be kind.\n\n# refunds\n\nPay it back.",
    );
  });
});
