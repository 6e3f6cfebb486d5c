import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aParsedPack, aPrompt } from "../../../test/support/builders/a-pack.ts";
import { MAX_RENDERED_BYTES } from "./render-templates.ts";
import type { PromptRequest } from "./prompt-request.ts";
import { resolvePrompt } from "./resolve-prompt.ts";

const agent = { name: "helper", namespace: "support" };

interface Case {
  prompt?: Record<string, unknown>;
  fragments?: Record<string, string>;
  variables?: Record<string, string>;
  model?: string;
}

function resolve({ prompt = {}, fragments = {}, variables, model = "gpt-4" }: Case) {
  const pack = aParsedPack({ prompts: { support: aPrompt(prompt) }, fragments });
  return resolvePrompt(pack, { variables, model, agent });
}

function resolved(given: Case) {
  const resolution = resolve(given);
  if (!resolution.ok) throw new Error(resolution.message);
  return resolution.value;
}

function refused(given: Case) {
  const resolution = resolve(given);
  if (resolution.ok) throw new Error("resolved");
  return resolution;
}

const system = (given: Case): string => resolved(given).system;
const declare = (name: string, type = "string", more: object = {}): object => ({
  name,
  type,
  ...more,
});

describe("which prompt", () => {
  const two = aParsedPack({
    prompts: { sales: aPrompt({ id: "sell" }), support: aPrompt({ id: "help" }) },
  });
  const choose = (request: Partial<PromptRequest>, pack = two) =>
    resolvePrompt(pack, { model: "gpt-4", agent, ...request });

  it("is the named one, by its key or by its id", () => {
    expect(choose({ prompt: "sales" })).toMatchObject({ ok: true, value: { name: "sales" } });
    expect(choose({ prompt: "sell" })).toMatchObject({ ok: true, value: { name: "sales" } });
  });

  it("is the only one, or the one called default, when none is named", () => {
    expect(choose({}, aParsedPack())).toMatchObject({ ok: true, value: { name: "support" } });
    const withDefault = aParsedPack({ prompts: { a: aPrompt(), default: aPrompt() } });
    expect(choose({}, withDefault)).toMatchObject({ ok: true, value: { name: "default" } });
  });

  it("is PromptNotFound with the list of those that there are", () => {
    for (const prompt of [undefined, "other", "constructor"]) {
      const resolution = choose({ prompt });
      expect(resolution).toMatchObject({ ok: false, reason: "PromptNotFound" });
      expect(!resolution.ok && resolution.message).toContain('"sales", "support"');
    }
  });
});

describe("the system prompt", () => {
  it("has variables and fragments in place, with or without spaces in the braces", () => {
    expect(
      system({
        prompt: {
          system_template: "{{intro}} {{ fragments.rules }} {{\n level }}",
          variables: [
            declare("name", "string", { default: "Ann" }),
            declare("level", "number", { default: 2 }),
          ],
        },
        fragments: { intro: "I am {{name}}.", rules: "{{kind}}", kind: "Be kind." },
      }),
    ).toBe("I am Ann. Be kind. 2");
  });

  it("prefers a variable to a fragment of its name, unless the fragment is asked for", () => {
    const prompt = {
      system_template: "{{tone}}/{{fragments.tone}}",
      variables: [declare("tone", "string", { default: "variable" })],
    };
    expect(system({ prompt, fragments: { tone: "fragment" } })).toBe("variable/fragment");
  });

  it("takes values as they are: no escaping, no pattern, no template", () => {
    const prompt = {
      system_template: "<{{a}}>",
      variables: [declare("a"), declare("secret", "string", { default: "s" })],
    };
    for (const value of ["$&$1$$", "<b>&amp;</b>", "{{secret}}", "{{fragments.f}}", "{{", "}}"]) {
      expect(system({ prompt, fragments: { f: "x" }, variables: { a: value } })).toBe(`<${value}>`);
    }
  });

  it("never expands what a value says, whatever it says", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (first, second) => {
        const prompt = { system_template: "{{a}}|{{b}}", variables: [declare("a"), declare("b")] };
        expect(system({ prompt, variables: { a: first, b: second } })).toBe(`${first}|${second}`);
      }),
    );
  });

  it("writes objects and arrays as JSON, and reaches into them", () => {
    const prompt = {
      system_template: "{{user}} {{user.mail[1]}} {{tags}} {{ok}}",
      variables: [declare("user", "object"), declare("tags", "array"), declare("ok", "boolean")],
    };
    const variables = { user: '{"mail": ["a", "b"]}', tags: "[1, 2]", ok: "True" };
    expect(system({ prompt, variables })).toBe('{"mail":["a","b"]} b [1,2] true');
  });

  it("leaves an optional variable without value empty, and its parts", () => {
    const prompt = { system_template: "[{{a}}{{a.b}}]", variables: [declare("a", "object")] };
    expect(system({ prompt })).toBe("[]");
  });

  it("takes the override of the model, with prefix and suffix around it", () => {
    const prompt = {
      system_template: "base {{x}}",
      variables: [declare("x", "string", { default: "!" })],
      model_overrides: {
        "gpt-4": { system_template_prefix: "{{x}} ", system_template_suffix: " end" },
        "gpt-5": { system_template: "other", system_template_suffix: " end" },
      },
    };
    expect(system({ prompt, model: "gpt-4" })).toBe("! base ! end");
    expect(system({ prompt, model: "gpt-5" })).toBe("other end");
    expect(system({ prompt, model: "toString" })).toBe("base !");
  });

  it("has a limit, whatever fragments make of it", () => {
    const fragments = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`f${index}`, `{{f${index + 1}}}{{f${index + 1}}}`]),
    );
    const prompt = { system_template: "{{f0}}" };
    expect(refused({ prompt, fragments: { ...fragments, f30: "x" } })).toMatchObject({
      reason: "Invalid",
    });
    expect(system({ prompt, fragments: { ...fragments, f30: "" } })).toBe("");
    const verbatim = { system_template: "{{a}}" };
    const quotes = 2;
    const largest = "x".repeat(MAX_RENDERED_BYTES - quotes);
    expect(system({ prompt: verbatim, variables: { a: largest } })).toBe(largest);
    for (const a of [`${largest}x`, "é".repeat(MAX_RENDERED_BYTES / 2)]) {
      expect(refused({ prompt: verbatim, variables: { a } }).message).toContain("256 KiB");
    }
  });
});

describe("variables", () => {
  it("that are missing are listed, all of them, declared or not", () => {
    const prompt = {
      system_template: "{{a}} {{f}} {{undeclared}}",
      variables: [
        declare("a", "string", { required: true }),
        declare("b", "number", { required: true }),
      ],
    };
    const resolution = refused({ prompt, fragments: { f: "{{deep.one}}" } });
    expect(resolution.reason).toBe("VariablesMissing");
    for (const name of ["a", "b", "undeclared", "deep.one"]) {
      expect(resolution.message).toContain(`"${name}" is missing`);
    }
  });

  it("may be given although the pack does not declare them", () => {
    const variables = { company: "Acme", "artifacts.sha": "abc" };
    const prompt = { system_template: "{{company}} {{artifacts.sha}}" };
    expect(resolved({ prompt, variables })).toMatchObject({
      system: "Acme abc",
      unusedVariables: [],
    });
  });

  it("that nothing uses are told of", () => {
    expect(resolved({ variables: { compny: "Acme" } }).unusedVariables).toEqual(["compny"]);
  });

  it("of a required variable come from its default when nothing else is given", () => {
    const variables = [declare("a", "string", { required: true, default: "d" })];
    expect(system({ prompt: { system_template: "{{a}}", variables } })).toBe("d");
  });

  it.each([
    ["number", {}, "five", "must be a number"],
    ["number", {}, "", "must be a number"],
    ["number", {}, "0x10", "must be a number"],
    ["number", {}, "1e999", "must be a number"],
    ["number", { minimum: 2 }, "1", "must be at least 2"],
    ["number", { maximum: 2 }, "2.5", "must be at most 2"],
    ["number", { enum: [1, 2] }, "3", "must be one of 1, 2"],
    ["boolean", {}, "yes", "must be true or false"],
    ["object", {}, "[]", "must be a JSON object"],
    ["object", {}, "{", "must be a JSON object"],
    ["array", {}, "{}", "must be a JSON array"],
    ["array", { enum: [[1], [2]] }, "[3]", "must be one of [1], [2]"],
    ["string", { pattern: "^[A-Z]+$" }, "abc", "must match the pattern"],
    ["string", { min_length: 2 }, "a", "must have at least 2"],
    ["string", { max_length: 2 }, "abc", "must have at most 2"],
    ["string", { enum: ["a", "b"] }, "c", 'must be one of "a", "b"'],
  ])("of type %s with %j refuse %j", (type, validation, value, message) => {
    const prompt = { system_template: "{{v}}", variables: [declare("v", type, { validation })] };
    const resolution = refused({ prompt, variables: { v: value } });
    expect(resolution.reason).toBe("VariablesMissing");
    expect(resolution.message).toContain(`"v" ${message}`);
  });

  it.each([
    ["number", { minimum: -2 }, " -1.5 ", "-1.5"],
    ["boolean", {}, "FALSE", "false"],
    ["string", { pattern: "(?i)^yes$" }, "YES", "YES"],
    ["string", { max_length: 1 }, "🙂", "🙂"],
    ["string", { required: true }, "", ""],
    ["object", { enum: [{ a: 1, b: 2 }] }, '{"b":2,"a":1}', '{"b":2,"a":1}'],
  ])(
    "of type %s with %j take %j",
    (type, { required, ...validation }: Record<string, unknown>, value, text) => {
      const prompt = {
        system_template: "{{v}}",
        variables: [declare("v", type, { validation, required: required ?? false })],
      };
      expect(system({ prompt, variables: { v: value } })).toBe(text);
    },
  );

  it("with a part that their object does not have are missing it", () => {
    const prompt = { system_template: "{{user.name}}", variables: [declare("user", "object")] };
    expect(refused({ prompt, variables: { user: "{}" } }).message).toContain(
      '"user" has no "user.name"',
    );
  });

  it("do not hang on a pattern that takes for ever", () => {
    const variables = [declare("v", "string", { validation: { pattern: "^(a+)+$" } })];
    const value = `${"a".repeat(60)}b`;
    expect(refused({ prompt: { variables }, variables: { v: value } }).reason).toBe(
      "VariablesMissing",
    );
  });
});

describe("values that would hold up who reads them", () => {
  it("are refused, and not taken to be right", () => {
    const variables = [
      declare("v", "string", { validation: { pattern: "^(a?){100}$" } }),
      declare("w", "string", { validation: { pattern: "^a*$" } }),
    ];
    const value = "a".repeat(60_000);
    const { reason, message } = refused({ prompt: { variables }, variables: { v: value, w: "a" } });
    expect(reason).toBe("VariablesMissing");
    expect(message).toContain('"v" cannot be judged: its pattern is too much work');
    expect(message).not.toContain('"w"');
  });

  it.each(["array", "object"])("are refused as %s that is nested too deeply", (type) => {
    const [open, close] = type === "array" ? ["[", "]"] : ['{"a":', "}"];
    const value = `${open.repeat(5_000)}1${close.repeat(5_000)}`;
    const variables = [declare("v", type, { validation: { enum: [1] } })];
    const { message } = refused({ prompt: { variables }, variables: { v: value } });
    expect(message).toContain(`"v" must be a JSON ${type}`);
  });
});

describe("the rest of the prompt", () => {
  it("has parameters in the spelling of the AgentRuntime, those for the model above the general ones", () => {
    const prompt = {
      parameters: {
        temperature: 0.1,
        max_tokens: 100,
        top_p: 0.9,
        top_k: null,
        frequency_penalty: 1,
        presence_penalty: -1,
      },
      model_overrides: { "gpt-4": { parameters: { temperature: 0, top_k: 40 } } },
    };
    expect(resolved({ prompt }).parameters).toEqual({
      temperature: 0,
      maxTokens: 100,
      topP: 0.9,
      topK: 40,
      frequencyPenalty: 1,
      presencePenalty: -1,
    });
  });

  it("has the specification's limits unless it says others", () => {
    expect(resolved({})).toMatchObject({
      toolChoice: "auto",
      maxRounds: 5,
      maxToolCallsPerTurn: 10,
      blocklist: [],
      semver: "1.2.0",
    });
    expect(resolved({})).not.toHaveProperty("tools");
    const tool_policy = {
      tool_choice: "none",
      max_rounds: 1,
      max_tool_calls_per_turn: 2,
      blocklist: ["x"],
    };
    expect(resolved({ prompt: { tool_policy, tools: ["y"] } })).toMatchObject({
      toolChoice: "none",
      maxRounds: 1,
      maxToolCallsPerTurn: 2,
      blocklist: ["x"],
      tools: ["y"],
    });
  });
});
