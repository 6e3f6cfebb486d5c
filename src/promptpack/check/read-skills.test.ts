import { describe, expect, it } from "vitest";
import { aPackText } from "../../../test/support/builders/a-pack.ts";
import type { SkillEntry } from "../document/skills.ts";
import { withSkillFiles } from "./pack-text.ts";
import { parsePromptPack } from "./parse-prompt-pack.ts";

const KEY = "promptpack.json";

function skillFile(name: string, instructions = `Do ${name}.`): string {
  return `---\nname: ${name}\ndescription: About ${name}\n---\n${instructions}\n`;
}

function parsed(skills: SkillEntry[], data: Record<string, string>, key = KEY) {
  const text = aPackText({ skills });
  const result = parsePromptPack(withSkillFiles(key, text, { ...data, [key]: text }));
  if (!result.ok) throw new Error(result.message);
  return result;
}

const skillsOf = (skills: SkillEntry[], data: Record<string, string>) =>
  parsed(skills, data).pack.skills;

describe("the skills of a pack", () => {
  it.each(["./skills/billing", "skills/billing/", "skills/billing/SKILL.md", "./skills"])(
    "are read from the keys of the pack's ConfigMap (%s)",
    (path) => {
      const data = { "skills.billing.SKILL.md": skillFile("billing") };
      expect(skillsOf([path], data)).toEqual([
        {
          name: "billing",
          description: "About billing",
          instructions: "Do billing.",
          path: "skills.billing",
        },
      ]);
    },
  );

  it("are all those of a folder, each with its own files", () => {
    const data = {
      "skills.a.SKILL.md": skillFile("a"),
      "skills.a.references.fees.md": "Fees",
      "skills.b.SKILL.md": skillFile("b").replaceAll("\n", "\r\n"),
      "skillset.c.SKILL.md": skillFile("c"),
    };
    expect(skillsOf([{ path: "./skills", preload: true }], data)).toMatchObject([
      { name: "a", preload: true, files: { "references.fees.md": "Fees" } },
      { name: "b", preload: true, instructions: "Do b." },
    ]);
  });

  it.each([
    ["no head", "Do it."],
    ["a head without a description", "---\nname: a\n---\nDo it."],
    ["a head that is no mapping", "---\n- a\n---\nDo it."],
    ["a head with an error", '---\nname: "a\n---\nDo it.'],
    ["no instructions", "---\nname: a\ndescription: b\n---\n\n"],
    ["nothing", ""],
  ])("stay paths where the file has %s", (_what, text) => {
    expect(skillsOf(["./skills/a"], { "skills.a.SKILL.md": text })).toEqual(["./skills/a"]);
  });

  it("make another version of the pack when their files change, and other keys do not", () => {
    const hashOf = (data: Record<string, string>): string => parsed(["./skills"], data).hash;
    const before = hashOf({ "skills.a.SKILL.md": skillFile("a") });
    expect(hashOf({ "skills.a.SKILL.md": skillFile("a"), "readme.md": "x" })).toBe(before);
    expect(hashOf({ "skills.a.SKILL.md": skillFile("a", "Other.") })).not.toBe(before);
    expect(hashOf({ "skills.a.SKILL.md": skillFile("a"), "skills.a.x.md": "x" })).not.toBe(before);
  });

  it("leave the text of a pack without files as it is", () => {
    expect(withSkillFiles(KEY, "text", { [KEY]: "text", "other.json": "{}" })).toBe("text");
    expect(withSkillFiles("a.SKILL.md", "text", { "a.SKILL.md": "text" })).toBe("text");
  });

  it("are those that a version was kept with, when it is put back", () => {
    const text = aPackText({ skills: ["./skills/a"] });
    const before = { [KEY]: text, "skills.a.SKILL.md": skillFile("a") };
    const kept = withSkillFiles(KEY, text, before);
    const after = { [KEY]: kept, "skills.a.SKILL.md": skillFile("a", "Newer.") };
    expect(withSkillFiles(KEY, kept, after)).toBe(kept);
  });

  it("warn of two with one name, of which the later one counts", () => {
    const skill = { name: "a", description: "b", instructions: "c" };
    expect(parsed([skill, { ...skill, instructions: "d" }], {}).warnings).toEqual([
      'skills[1]: "a" is the name of an earlier skill, which it replaces',
    ]);
  });
});
