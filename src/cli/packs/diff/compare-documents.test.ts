import { describe, expect, it } from "vitest";
import { aPrompt, aParsedPack } from "../../../../test/support/builders/a-pack.ts";
import { compareDocuments, textOf } from "./compare-documents.ts";

const variable = (name: string, fields: object = {}) => ({
  name,
  type: "string",
  required: true,
  ...fields,
});
const support = (fields: Record<string, unknown>) =>
  aParsedPack({ prompts: { support: aPrompt(fields) } });
const pathsOf = (before: Parameters<typeof compareDocuments>[0], after: typeof before): string[] =>
  compareDocuments(before, after).map(({ path }) => path);

describe("compareDocuments", () => {
  it("finds nothing between two of the same", () => {
    expect(compareDocuments(aParsedPack(), aParsedPack())).toEqual([]);
  });

  it("names the template with both texts, and the version", () => {
    const before = support({ system_template: "Be kind." });
    const after = { ...support({ system_template: "Be brief." }), version: "2.0.0" };
    expect(compareDocuments(before, after)).toEqual([
      { path: "prompts.support.system_template", before: "Be kind.", after: "Be brief." },
      { path: "version", before: "1.2.0", after: "2.0.0" },
    ]);
  });

  it("compares variables, validators and overrides item by item, wherever these stand", () => {
    const before = support({
      variables: [variable("company"), variable("product")],
      validators: [
        { type: "regex_match", params: { pattern: "a" } },
        { type: "regex_match", params: { pattern: "b" } },
      ],
      model_overrides: { "gpt-5": { system_template_prefix: "Hi." } },
    });
    const after = support({
      variables: [variable("product"), variable("company", { default: "ACME" })],
      validators: [
        { type: "regex_match", params: { pattern: "a" } },
        { type: "regex_match", params: { pattern: "c" } },
      ],
      model_overrides: { "gpt-5": { system_template_prefix: "Hello." } },
    });
    expect(pathsOf(before, after)).toEqual([
      "prompts.support.variables.company",
      "prompts.support.validators.regex_match[2]",
      "prompts.support.model_overrides.gpt-5.system_template_prefix",
    ]);
  });

  it("compares the instructions and files of skills as texts", () => {
    const skill = (instructions: string) => ({
      name: "refunds",
      description: "How to refund",
      instructions,
    });
    const before = aParsedPack({ skills: [skill("Ask."), "./skills/gone"] });
    const after = aParsedPack({ skills: [skill("Ask twice.")] });
    const withFiles = { ...skill("Ask twice."), path: "skills/refunds", files: { "fees.md": "1" } };
    expect(pathsOf(before, after)).toEqual(["skills.refunds.instructions", "skills../skills/gone"]);
    expect(pathsOf(after, { ...after, skills: [withFiles] })).toEqual([
      "skills.refunds.path",
      "skills.refunds.files.fees.md",
    ]);
  });

  it("names what only one of them has: prompts, fragments, tools and parameters", () => {
    const before = aParsedPack({ fragments: { tone: "Be kind." } });
    const after = aParsedPack({
      prompts: {
        support: aPrompt({ parameters: { temperature: 0.5 } }),
        sales: aPrompt({ id: "sales" }),
      },
      tools: { lookup: { name: "lookup", description: "Looks things up." } },
    });
    const changes = compareDocuments(before, after);
    expect(changes.map(({ path }) => path)).toEqual([
      "prompts.support.parameters",
      "prompts.sales.id",
      "prompts.sales.name",
      "prompts.sales.version",
      "prompts.sales.system_template",
      "tools.lookup",
      "fragments.tone",
    ]);
    expect(changes.at(-1)).toMatchObject({ before: "Be kind.", after: undefined });
  });
});

describe("textOf", () => {
  it("leaves a text as it is, and orders the fields of everything else", () => {
    expect(textOf("a\nb")).toBe("a\nb");
    expect(textOf({ b: 1, a: [2] })).toBe('{\n  "a": [\n    2\n  ],\n  "b": 1\n}');
  });
});
