import { describe, expect, it } from "vitest";
import { theVersion } from "../../../test/support/builders/a-decision.ts";
import { resolvePrompt } from "../../promptpack/render/resolve-prompt.ts";
import type { PromptRequest } from "../../promptpack/render/prompt-request.ts";
import { resolveOnce } from "./resolve-once.ts";

const AGENT = { name: "support", namespace: "team" };
const OTHER = { name: "sales", namespace: "shop" };

function aDocument(variables: object[] = [], template = "You help {{whom}}.") {
  return theVersion({ prompts: { support: { system_template: template, variables } } }).document;
}
const WHOM = { name: "whom", type: "string", required: true };

function asked(request: Partial<PromptRequest> = {}): PromptRequest {
  return { model: "m", variables: { whom: "all" }, agent: AGENT, ...request };
}

describe("resolveOnce", () => {
  it("gives agents that ask the same the same object", () => {
    const document = aDocument([WHOM]);
    const first = resolveOnce(document, asked());
    expect(first).toEqual(resolvePrompt(document, asked()));
    expect(resolveOnce(document, asked({ agent: OTHER }))).toBe(first);
  });

  it.each<[string, Partial<PromptRequest>]>([
    ["variables", { variables: { whom: "nobody" } }],
    ["a variable that is not used", { variables: { whom: "all", more: "x" } }],
    ["no variables", { variables: undefined }],
    ["the model", { model: "n" }],
    ["no model", { model: undefined }],
    ["the prompt", { prompt: "support" }],
    ["a prompt that there is not", { prompt: "other" }],
  ])("answers for itself where another is asked for: %s", (_, other) => {
    const document = aDocument([WHOM]);
    resolveOnce(document, asked());
    expect(resolveOnce(document, asked(other))).toEqual(resolvePrompt(document, asked(other)));
  });

  it("tells versions apart", () => {
    const [one, other] = [aDocument([WHOM]), aDocument([WHOM], "Hello {{whom}}.")];
    resolveOnce(one, asked());
    expect(resolveOnce(other, asked())).toEqual(resolvePrompt(other, asked()));
  });

  it.each(["agent", "namespace"])("keeps no answer that has the %s in it", (field) => {
    const binding = { kind: "context", field, auto_populate: true };
    const document = aDocument([{ ...WHOM, binding }]);
    for (const agent of [AGENT, OTHER, AGENT]) {
      const request = asked({ variables: {}, agent });
      const resolution = resolveOnce(document, request);
      expect(resolution).toEqual(resolvePrompt(document, request));
      const name = field === "agent" ? agent.name : agent.namespace;
      expect(resolution).toMatchObject({ value: { system: `You help ${name}.` } });
    }
  });

  it("keeps a bounded number of answers", () => {
    const document = aDocument([WHOM]);
    const first = resolveOnce(document, asked());
    for (let index = 0; index < 32; index += 1) {
      resolveOnce(document, asked({ variables: { whom: String(index) } }));
    }
    const again = resolveOnce(document, asked());
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});
