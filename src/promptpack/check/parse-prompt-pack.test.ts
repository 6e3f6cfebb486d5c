import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aPack, aPackText, aPrompt } from "../../../test/support/builders/a-pack.ts";
import { MAX_PACK_BYTES, parsePromptPack } from "./parse-prompt-pack.ts";

function accepted(text: string) {
  const parsed = parsePromptPack(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed;
}

function refused(text: string) {
  const parsed = parsePromptPack(text);
  if (parsed.ok) throw new Error("the pack was accepted");
  return parsed;
}

const withPrompt = (fields: Record<string, unknown>, pack: Record<string, unknown> = {}): string =>
  aPackText({ prompts: { support: aPrompt(fields) }, ...pack });

describe("the text", () => {
  it("is JSON or YAML; the same content has the same hash, in whatever order and spelling", () => {
    const yaml = `
# a comment
prompts:
  support: { id: support, name: Support, version: 1.0.0, system_template: You help customers. }
template_engine: {version: v1, syntax: "{{variable}}"}
id: customer-service
name: Customer service
version: 1.2.0
`;
    const json = accepted(JSON.stringify(aPack(), undefined, 2));
    expect(json.hash).toMatch(/^[0-9a-f]{12}$/);
    expect(accepted(yaml).hash).toBe(json.hash);
    expect(accepted(`\uFEFF${aPackText()}`).hash).toBe(json.hash);
    expect(accepted(aPackText({ description: "other" })).hash).not.toBe(json.hash);
  });

  it.each([
    ["a comma too many", '{\n  "id": "x",\n}', 2, 12, 'a "," too many'],
    ["a comma that is missing", '{\n  "id": "x"\n  "name": "y"\n}', 3, 3, 'expected "," or "}"'],
    ["a name without quotes", '{ id: "x" }', 1, 3, "expected a name in double quotes"],
    ["an end that is missing", '{"id": "x"', 1, 11, "the text ends too early"],
    ["a value that is missing", '{"id": }', 1, 8, "expected a value"],
    ["a string without end", '{"id": "x', 1, 8, "this string has no end"],
    ["a line break in a string", '{"id": "x\ny"}', 1, 10, "must not hold a line break"],
    ["an escape that JSON has not", String.raw`{"id": "\d"}`, 1, 9, "no such escape"],
    ["a name that is there twice", '{"id": "x",\n "id": "y"}', 2, 2, "there twice"],
    ["text behind the end", '{"id": "x"} }', 1, 13, "after the end"],
    ["nothing at all", " \n", 1, 1, "empty"],
    ["prose", "not json", 1, 1, "neither a JSON object nor a YAML mapping"],
    ["a tab in YAML", "id: x\nprompts:\n\tsupport: {}", 3, 1, "a tab"],
    ["two YAML documents", "id: x\n---\nid: y\n", 1, 1, "more than one YAML document"],
    ["brackets without end", "[".repeat(1_000), 1, 102, "nested too deeply"],
  ])("is InvalidJSON with line and column: %s", (_what, text, line, column, message) => {
    const parsed = refused(text);
    expect(parsed.reason).toBe("InvalidJSON");
    expect(parsed.message).toContain(`line ${line}, column ${column}`);
    expect(parsed.message).toContain(message);
    expect(parsed.problems).toMatchObject([{ path: "", line, column }]);
  });

  it("is TooLarge past what a ConfigMap holds", () => {
    expect(refused(aPackText({ description: "x".repeat(MAX_PACK_BYTES) })).reason).toBe("TooLarge");
  });

  it.each(["[]", "42", '"text"', "true", "- a\n- b"])("must be an object: %s", (text) => {
    expect(refused(text)).toMatchObject({ reason: "InvalidPack", problems: [{ path: "" }] });
  });

  it("is never the cause of anything but an answer", () => {
    const json = fc.json({ maxDepth: 4 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), json), (text) => {
        const parsed = parsePromptPack(text);
        expect(parsed.ok).toBe(false);
      }),
    );
  });

  it("broken anywhere is refused, and what JSON.parse refuses is InvalidJSON", () => {
    const text = aPackText();
    fc.assert(
      // Without its first bracket the text is read as YAML.
      fc.property(
        fc.integer({ min: 1, max: text.length - 1 }),
        fc.constantFrom("", "{", '"', ",", "\\"),
        (at, put) => {
          const broken = text.slice(0, at) + put + text.slice(at + 1);
          const parsed = parsePromptPack(broken);
          let isJSON = true;
          try {
            JSON.parse(broken);
          } catch {
            isJSON = false;
          }
          expect(!parsed.ok && parsed.reason === "InvalidJSON").toBe(!isJSON);
        },
      ),
    );
  });
});

describe("the schema", () => {
  it("takes every field of the specification", () => {
    const everything = aPack({
      $schema: "https://promptpack.org/schema/v1/promptpack.schema.json",
      description: "Everything",
      template_engine: {
        version: "v1",
        syntax: "{{variable}}",
        features: ["basic_substitution", "fragments"],
      },
      fragments: { tone: "Be kind, {{customer}}." },
      tools: {
        lookup: {
          name: "lookup",
          description: "Looks up",
          parameters: {
            type: "object",
            properties: { id: { type: "string" } },
            required: ["id"],
            additionalProperties: false,
          },
        },
      },
      metadata: {
        domain: "support",
        language: "en",
        tags: ["a"],
        cost_estimate: { min_cost_usd: 0, max_cost_usd: 1, avg_cost_usd: 0.5 },
        owner: "the team",
      },
      compilation: { compiled_with: "x", created_at: "2026-01-01T00:00:00Z", schema: "v1" },
      evals: [
        {
          id: "e1",
          type: "llm_judge",
          trigger: "every_turn",
          sample_percentage: 5,
          enabled: true,
          params: { a: 1 },
          metric: { name: "quality", type: "gauge", range: { min: 0, max: 1 } },
          threshold: { operator: ">=", value: 0.8 },
          message: "m",
          when: { tool_called: "lookup" },
          groups: ["g"],
        },
      ],
      workflow: {
        version: 1,
        entry: "start",
        states: {
          start: {
            prompt_task: "support",
            on_event: { done: "end" },
            max_visits: 3,
            on_max_visits: "end",
            artifacts: { sha: { type: "text/plain", mode: "replace" } },
          },
          end: { prompt_task: "support", terminal: true },
        },
        engine: { budget: { max_total_visits: 10 }, timeout: 5 },
      },
      agents: { entry: "support", members: { support: { tags: ["x"], input_modes: ["text"] } } },
      skills: [
        "skills/a",
        { path: "b", preload: true },
        { name: "n", description: "d", instructions: "i" },
      ],
      prompts: {
        support: aPrompt({
          description: "d",
          system_template: "{{tone}} {{fragments.tone}} {{customer}}",
          variables: [
            {
              name: "customer",
              type: "string",
              required: false,
              default: "Ann",
              description: "d",
              example: "Bob",
              validation: {
                pattern: "^[A-Z]",
                min_length: 1,
                max_length: 10,
                enum: ["Ann", "Bob"],
              },
              binding: { kind: "session", field: "name", auto_populate: false, filter: "f" },
            },
            {
              name: "level",
              type: "number",
              required: false,
              validation: { minimum: 1, maximum: 5 },
            },
          ],
          tools: ["lookup"],
          tool_policy: {
            tool_choice: "required",
            max_rounds: 3,
            max_tool_calls_per_turn: 4,
            blocklist: ["x"],
          },
          pipeline: { stages: ["a"], middleware: [{ type: "log", config: { level: 1 } }] },
          parameters: {
            temperature: 0.5,
            max_tokens: 100,
            top_p: 1,
            top_k: null,
            frequency_penalty: 0,
            presence_penalty: -2,
          },
          validators: [
            {
              type: "banned_words",
              enabled: true,
              fail_on_violation: true,
              params: { words: ["a"] },
            },
          ],
          evals: [{ id: "e1", type: "t", trigger: "every_turn" }],
          tested_models: [{ provider: "openai", model: "m", date: "2026-01-01", success_rate: 1 }],
          model_overrides: {
            "gpt-4": { system_template_prefix: "Hi {{customer}}. ", parameters: { top_k: 3 } },
          },
          media: {
            enabled: true,
            supported_types: ["image", "scan_3d"],
            image: { max_size_mb: 1, default_detail: "auto" },
            document: { extraction_mode: "text" },
            scan_3d: { max_size_mb: 5, resolution: "high" },
            examples: [
              {
                name: "x",
                role: "user",
                parts: [{ type: "image", media: { mime_type: "image/png" } }],
              },
            ],
          },
        }),
      },
    });
    expect(accepted(JSON.stringify(everything)).warnings).toEqual([]);
  });

  it.each([
    ["an id that is missing", aPackText({ id: undefined }), "id", "required"],
    ["an id with capitals", aPackText({ id: "My-Pack" }), "id", "a-z"],
    ["an unknown field", aPackText({ prompt: {} }), "prompt", 'did you mean "prompts"'],
    ["a version of two numbers", aPackText({ version: "1.0" }), "version", "1.4.0"],
    [
      "an engine that is missing",
      aPackText({ template_engine: undefined }),
      "template_engine",
      "required",
    ],
    ["no prompts", aPackText({ prompts: {} }), "prompts", "at least one"],
    [
      "a prompt without template",
      withPrompt({ system_template: "" }),
      "prompts.support.system_template",
      "empty",
    ],
    [
      "an unknown field of a prompt",
      withPrompt({ sytem_template: "x" }),
      "prompts.support.sytem_template",
      "unknown field",
    ],
    [
      "a variable of a type of its own",
      withPrompt({ variables: [{ name: "a", type: "text" }] }),
      "prompts.support.variables[0].type",
      "one of string",
    ],
    [
      "a name that is none",
      withPrompt({ variables: [{ name: "1a", type: "string" }] }),
      "prompts.support.variables[0].name",
      "begin with a digit",
    ],
    [
      "a temperature of 3",
      withPrompt({ parameters: { temperature: 3 } }),
      "prompts.support.parameters.temperature",
      "at most 2",
    ],
    [
      "a validator without type",
      withPrompt({ validators: [{}] }),
      "prompts.support.validators[0].type",
      "required",
    ],
    [
      "a policy of a kind of its own",
      withPrompt({ tool_policy: { tool_choice: "always" } }),
      "prompts.support.tool_policy.tool_choice",
      "one of auto",
    ],
    [
      "a fragment that is no text",
      aPackText({ fragments: { a: 1 } }),
      "fragments.a",
      "must be a string",
    ],
    ["a skill of no known form", aPackText({ skills: [1] }), "skills[0]", "a path"],
    [
      "a tool without description",
      aPackText({ tools: { a: { name: "a" } } }),
      "tools.a.description",
      "required",
    ],
  ])("refuses %s", (_what, text, path, message) => {
    const parsed = refused(text);
    expect(parsed.reason).toBe("InvalidPack");
    expect(parsed.problems.map((problem) => problem.path)).toContain(path);
    expect(parsed.message).toContain(path);
    expect(parsed.message).toContain(message);
  });

  it("lists every problem, each with its place in the text", () => {
    const text = JSON.stringify(aPack({ id: "X", version: 3 }), undefined, 2);
    const { problems, message } = refused(text);
    expect(problems).toMatchObject([
      { path: "id", line: 2, column: 9 },
      { path: "version", line: 4, column: 14 },
    ]);
    expect(message).toContain("; version: must be a version like");
  });

  it("names the line in YAML too, and counts what it does not list", () => {
    const variables = Array.from({ length: 14 }, (_, index) => `  - {name: a${index}, type: text}`);
    const text = [
      "id: a\nname: a\nversion: 1.0.0\ntemplate_engine: {version: v1, syntax: x}\nprompts:\n a:\n  id: a",
      "  name: a\n  version: 1.0.0\n  system_template: a\n  variables:",
      ...variables,
    ].join("\n");
    const { problems, message } = refused(text);
    expect(problems[0]).toMatchObject({ path: "prompts.a.variables[0].type", line: 12 });
    expect(message).toMatch(/; and 4 more$/);
  });

  it.each([
    ["compositions", aPackText({ compositions: { x: {} } }), "compositions"],
    [
      "the state of a member",
      aPackText({ agents: { entry: "support", members: { support: { state: "s" } } } }),
      "agents.members.support.state",
    ],
    [
      "a state that runs a composition, and so has no prompt",
      aPackText({
        workflow: {
          version: 1,
          entry: "a",
          states: { a: { orchestration: "composition", composition: "x", terminal: true } },
        },
      }),
      "workflow.states.a.composition",
    ],
    [
      "a template of the user's message",
      withPrompt({ user_template: "{{input}}" }),
      "prompts.support.user_template",
    ],
  ])("says of %s that a later specification has it, and nothing else", (_what, text, path) => {
    const { problems } = refused(text);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(/specification 1\.[45].*this version takes/);
    expect(problems[0]?.message).toContain("1.5");
    expect(problems[0]?.message).not.toContain("did you mean");
  });

  it.each([
    ["1.5", "requires", aPackText({ requires: { providers: ["default"] } })],
    [
      "1.6",
      "tools.weather.action_scope",
      aPackText({
        tools: { weather: { name: "weather", description: "w", action_scope: { effect: "read" } } },
      }),
    ],
    [
      "1.6",
      "agents.members.support.governance",
      aPackText({ agents: { entry: "support", members: { support: { governance: {} } } } }),
    ],
    [
      "1.7",
      "workflow.states.a.control",
      aPackText({
        workflow: {
          version: 1,
          entry: "a",
          states: { a: { prompt_task: "support", control: "agent", terminal: true } },
        },
      }),
    ],
    [
      "1.8",
      "prompts.support.validators[0].id",
      withPrompt({ validators: [{ type: "banned_words", id: "x", params: { words: ["x"] } }] }),
    ],
    [
      "1.8",
      "evals[0].extensions",
      aPackText({ evals: [{ id: "e", type: "contains", trigger: "every_turn", extensions: {} }] }),
    ],
    ["1.9", "prompts.support.provider", withPrompt({ provider: "drafter" })],
  ])("names specification %s for %s", (version, path, text) => {
    const { problems } = refused(text);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.message).toContain(`belongs to specification ${version} of PromptPack`);
  });

  it("warns of validators that refuse by the specification that $schema names", () => {
    const validators = [
      { type: "banned_words", params: { words: ["x"] } },
      { type: "banned_words", params: { words: ["y"] }, fail_on_violation: true },
      { type: "banned_words", params: { words: ["z"] }, enabled: false },
    ];
    const warningsWith = (version: string) => {
      const $schema = `https://promptpack.org/schema/v${version}/promptpack.schema.json`;
      return accepted(withPrompt({ validators }, { $schema })).warnings;
    };
    expect(warningsWith("1.6.0")).toEqual([]);
    expect(warningsWith("1.7.0")).toEqual([
      "prompts.support.validators[0]: only warns: $schema names specification 1.7 of PromptPack, by which it refuses, and this version takes 1.4; set fail_on_violation: true",
    ]);
  });

  it("lists what is wrong besides fields of a later specification", () => {
    const text = aPackText({
      compositions: {},
      id: "My",
      prompts: { support: aPrompt({ toolz: [] }) },
    });
    expect(refused(text).problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      expect.stringContaining("compositions: belongs to specification 1.5"),
      expect.stringContaining("id: must be of a-z"),
      'prompts.support.toolz: unknown field; did you mean "tools"?',
    ]);
  });

  it("takes a pack that names a later specification and needs none of it", () => {
    const address = "https://promptpack.org/schema/v1.5.0/promptpack.schema.json";
    expect(accepted(aPackText({ $schema: address })).warnings).toEqual([]);
  });

  it.each(["v1.6.0", "v1.6", "2.0", "v12.3.4"])(
    "says that $schema names specification %s where a field is unknown",
    (version) => {
      const $schema = `https://promptpack.org/schema/${version}/promptpack.schema.json`;
      const { message } = refused(withPrompt({ system_templates: {} }, { $schema }));
      const [named] = /\d+\.\d+/.exec(version) ?? [];
      expect(message).toContain(
        `prompts.support.system_templates: unknown field; $schema names specification ${named} of PromptPack, and this version takes 1.4`,
      );
    },
  );

  it.each(["v1.4.0", "v1.3.1", "latest", "v1"])(
    "looks for a misspelling where $schema names %s",
    (version) => {
      const $schema = `https://promptpack.org/schema/${version}/promptpack.schema.json`;
      expect(refused(withPrompt({ toolz: [] }, { $schema })).message).toContain('mean "tools"');
    },
  );

  it("is not deceived by names that JavaScript gives to every object", () => {
    const text = `{"__proto__": {"id": "x"}, "constructor": {}, ${aPackText().slice(1)}`;
    expect(refused(text).problems.map(({ path }) => path)).toContain("constructor");
    const { pack } = accepted(
      aPackText({
        prompts: { toString: aPrompt({ system_template: "{{x}}" }) },
        fragments: { x: "y" },
      }),
    );
    expect(Object.keys(pack.prompts)).toEqual(["toString"]);
  });
});

describe("a fragment as others write it", () => {
  const fragments = { tone: "Be kind." };

  it.each([
    "{{fragment:tone}}",
    "{{ fragment:tone }}",
    "{{fragment: tone}}",
    "{{fragments:tone}}",
    '{{fragment "tone"}}',
    "{{fragment tone}}",
    "{{> tone}}",
    "{{>tone}}",
  ])("is refused with the two ways to write it here: %s", (written) => {
    const { message } = refused(withPrompt({ system_template: `Hi. ${written}` }, { fragments }));
    expect(message).toContain("write {{tone}} or {{fragments.tone}}");
    expect(message).not.toContain("no variable or fragment");
    for (const cure of ["{{tone}}", "{{fragments.tone}}"]) {
      accepted(withPrompt({ system_template: `Hi. ${cure}` }, { fragments }));
    }
  });

  it("is refused inside of a fragment too", () => {
    const { problems } = refused(
      aPackText({ fragments: { ...fragments, a: "{{fragment:tone}}" } }),
    );
    expect(problems).toMatchObject([{ path: "fragments.a" }]);
  });

  it.each(["{{fragment:}}", "{{fragment:a b}}", "{{tone:fragment}}", "{{fragment:9}}"])(
    "is no fragment without a name that one can have: %s",
    (written) => {
      const { message } = refused(withPrompt({ system_template: written }, { fragments }));
      expect(message).toContain("no variable or fragment");
    },
  );
});

describe("the lenient forms", () => {
  it("reads validators that are written as an object", () => {
    const validators = {
      banned_words: ["competitor"],
      max_length: 500,
      regex_match: { pattern: "^x" },
      pii_detection: true,
      json_schema: { type: "object" },
    };
    expect(accepted(withPrompt({ validators })).pack.prompts["support"]?.validators).toEqual([
      { type: "banned_words", params: { words: ["competitor"] } },
      { type: "max_length", params: { max_characters: 500 } },
      { type: "regex_match", params: { pattern: "^x" } },
      { type: "pii_detection", enabled: true },
      { type: "json_schema", params: { schema: { type: "object" } } },
    ]);
  });

  it("takes a variable that does not say whether it is required for an optional one", () => {
    const { pack } = accepted(withPrompt({ variables: [{ name: "a", type: "string" }] }));
    expect(pack.prompts["support"]?.variables).toMatchObject([{ required: false }]);
  });
});

describe("what must fit together", () => {
  it.each([
    [
      "a placeholder without end",
      withPrompt({ system_template: "Hi {{name" }),
      '"{{name" has no closing }}',
    ],
    ["a placeholder in a placeholder", withPrompt({ system_template: "{{a {{b}}" }), "no closing"],
    ["an empty placeholder", withPrompt({ system_template: "{{ }}" }), "names nothing"],
    ["three braces", withPrompt({ system_template: "{{{a}}}" }), "three braces"],
    ["a condition", withPrompt({ system_template: "{{#if a}}b{{/if}}" }), "not supported"],
    ["a filter", withPrompt({ system_template: "{{a | upper}}" }), "not supported"],
    ["a broken fragment", aPackText({ fragments: { a: "{{" } }), 'fragments.a: "{{" has no'],
    [
      "a broken override",
      withPrompt({ model_overrides: { "gpt-4": { system_template: "{{" } } }),
      "model_overrides.gpt-4.system_template",
    ],
    [
      "a fragment that is not there",
      withPrompt({ system_template: "{{fragments.tone}}" }),
      "{{fragments.tone}} names a fragment",
    ],
    [
      "fragments that hold each other",
      withPrompt(
        { system_template: "{{a}}" },
        { fragments: { a: "{{b}}", b: "{{ fragments.a }}" } },
      ),
      "fragments hold each other: a → b → a",
    ],
    [
      "two variables of one name",
      withPrompt({
        variables: [
          { name: "a", type: "string" },
          { name: "a", type: "number" },
        ],
      }),
      "variables[1].name",
    ],
    [
      "a default of another type",
      withPrompt({ variables: [{ name: "a", type: "number", default: "5" }] }),
      "variables[0].default: must be a number",
    ],
    [
      "a pattern that is none",
      withPrompt({ variables: [{ name: "a", type: "string", validation: { pattern: "(" } }] }),
      "validation.pattern: is no regular expression",
    ],
    [
      "a pattern that is not one of RE2",
      withPrompt({
        variables: [{ name: "a", type: "string", validation: { pattern: "^(?=x)" } }],
      }),
      "variables[0].validation.pattern: is no regular expression: there is no lookahead",
    ],
    [
      "a schema of a tool that cannot be used",
      withPrompt(
        {},
        {
          tools: {
            find: {
              name: "find",
              description: "x",
              parameters: { type: "object", properties: { a: { pattern: "(?=x)" } } },
            },
          },
        },
      ),
      "tools.find.parameters: cannot be used as a JSON Schema: properties.a.pattern is no regular",
    ],
    [
      "a schema of a validator that cannot be used",
      withPrompt({ validators: { json_schema: { type: "text" } } }),
      "validators[0].params.schema: cannot be used as a JSON Schema: type must be one of",
    ],
    [
      "a pattern of a validator that is none",
      withPrompt({ validators: { regex_match: "(" } }),
      "validators[0].params.pattern: is no regular expression",
    ],
    [
      "bounds that leave nothing",
      withPrompt({
        variables: [{ name: "a", type: "number", validation: { minimum: 2, maximum: 1 } }],
      }),
      "minimum: is greater",
    ],
    [
      "two tools of one name",
      aPackText({
        tools: { a: { name: "x", description: "d" }, b: { name: "x", description: "d" } },
      }),
      "tools.b.name",
    ],
    [
      "a workflow without its entry",
      aPackText({
        workflow: { version: 1, entry: "a", states: { b: { prompt_task: "support" } } },
      }),
      'no state "a"',
    ],
    [
      "a state without its prompt",
      aPackText({ workflow: { version: 1, entry: "a", states: { a: { prompt_task: "x" } } } }),
      'no prompt "x"',
    ],
    [
      "an event that leads nowhere",
      aPackText({
        workflow: {
          version: 1,
          entry: "a",
          states: { a: { prompt_task: "support", on_event: { e: "z" } } },
        },
      }),
      'no state "z"',
    ],
    [
      "an agent without its prompt",
      aPackText({ agents: { entry: "support", members: { x: {} } } }),
      "agents.members.x",
    ],
  ])("refuses %s", (_what, text, message) => {
    const parsed = refused(text);
    expect(parsed.reason).toBe("InvalidPack");
    expect(parsed.message).toContain(message);
  });

  it.each([
    [1, []],
    [
      2,
      [
        "workflow.version: names version 2 of workflows, and this version takes 1; it is run as one of version 1",
      ],
    ],
  ])("says of version %i of workflows whether it is known here", (version, warnings) => {
    const states = { a: { prompt_task: "support" } };
    const text = aPackText({ workflow: { version, entry: "a", states } });
    expect(accepted(text).warnings).toEqual(warnings);
  });

  it("takes a fragment that names a variable of its own name", () => {
    accepted(
      withPrompt(
        {
          system_template: "{{fragments.company}}",
          variables: [{ name: "company", type: "string" }],
        },
        { fragments: { company: "You work for {{company}}." } },
      ),
    );
  });

  it("leaves a placeholder that nobody declared to the agent, which may give it a value", () => {
    accepted(withPrompt({ system_template: "{{anything}}" }));
  });

  it("refuses fragments that are nested too deeply", () => {
    const fragments = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`f${index}`, `{{f${index + 1}}}`]),
    );
    const { message } = refused(withPrompt({ system_template: "{{f0}}" }, { fragments }));
    expect(message).toContain("nested more than 32 deep");
  });

  it.each([
    [
      "a tool that the pack does not describe",
      withPrompt({ tools: ["x"] }, { tools: {} }),
      "the ToolRegistry has to",
    ],
    [
      "another template syntax",
      aPackText({ template_engine: { version: "v1", syntax: "jinja" } }),
      "only {{variable}}",
    ],
    [
      "features that are not there",
      aPackText({ template_engine: { version: "v1", syntax: "{{x}}", features: ["loops"] } }),
      "loops are not supported",
    ],
    [
      "a required variable with a default",
      withPrompt({ variables: [{ name: "a", type: "string", required: true, default: "x" }] }),
      "used anyway",
    ],
    [
      "a default that its validation refuses",
      withPrompt({
        variables: [{ name: "a", type: "string", default: "x", validation: { min_length: 3 } }],
      }),
      "at least 3",
    ],
  ])("warns of %s", (_what, text, message) => {
    expect(accepted(text).warnings.join()).toContain(message);
  });
});

describe("a pack that would hold up who reads it", () => {
  const list = <T>(length: number, item: (index: number) => T): T[] =>
    Array.from({ length }, (_, index) => item(index));
  const record = (length: number, item: (index: number) => unknown): Record<string, unknown> =>
    Object.fromEntries(list(length, (index) => [`n${index}`, item(index)]));

  it("is refused with more YAML than anybody writes", () => {
    const { message } = refused(`a: [${"1,".repeat(200_001)}]`);
    expect(message).toContain("holds too many values and lines; split it");
    expect(refused(`a: ${"[".repeat(100_000)}`).message).toContain("nested too deeply");
  });

  it("may have patterns that take for ever elsewhere", () => {
    const variables = list(150, (index) => ({
      name: `v${index}`,
      type: "string",
      default: `${"a".repeat(40)}!`,
      validation: { pattern: "^(a+)+$" },
    }));
    const { warnings } = accepted(withPrompt({ variables }));
    expect(warnings).toHaveLength(150);
    expect(warnings[0]).toContain("must match the pattern ^(a+)+$");
  });

  it.each([
    [
      "too many large patterns",
      withPrompt({
        variables: list(1_000, (index) => ({
          name: `v${index}`,
          type: "string",
          validation: { pattern: `a{900}${index}` },
        })),
      }),
      "validation.pattern: is too much work",
    ],
    [
      "one pattern that unfolds",
      withPrompt({
        variables: [{ name: "v", type: "string", validation: { pattern: "((a{900}){900}){900}" } }],
      }),
      "variables[0].validation.pattern: is too large a pattern",
    ],
    [
      "long defaults with large patterns",
      withPrompt({
        variables: list(9, (index) => ({
          name: `v${index}`,
          type: "string",
          default: "a".repeat(100_000),
          validation: { pattern: `(a?){100}b${index}` },
        })),
      }),
      "variables[0].validation: cannot be judged: its pattern is too much work",
    ],
    [
      "large fragments in all prompts",
      aPackText({
        fragments: { large: "{{v}}".repeat(100_000) },
        prompts: record(200, () => aPrompt({ system_template: "{{large}}" })),
      }),
      "the templates of the pack refer too often to fragments with many placeholders",
    ],
    [
      "mistakes without end",
      withPrompt({ variables: list(30_000, () => ({})) }),
      "prompts.support.variables[4].type: required; and 54 more",
    ],
    [
      "mistakes in mistakes",
      aPackText({
        prompts: record(100, () => ({
          evals: list(40, () => ({ groups: list(40, () => 1) })),
          variables: list(40, () => ({})),
          tools: list(40, () => 1),
        })),
      }),
      "prompts.n0.id: required; ",
    ],
    [
      "unknown fields without end",
      aPackText(record(20_000, () => 1)),
      "n9: unknown field; and 19990 more",
    ],
  ])("is refused with %s", (_what, text, message) => {
    const parsed = refused(text);
    expect(parsed.reason).toBe("InvalidPack");
    expect(parsed.message).toContain(message);
  });

  it("may be large where it is what people write", () => {
    const parameters = {
      type: "object",
      properties: record(10, (index) => ({
        type: "string",
        description: `What the customer said of the order, in a few words, number ${index}`,
        pattern: `^[A-Z]{2,${index + 4}}-[0-9]{1,8}$`,
        enum: list(5, (value) => `value ${value}`),
      })),
      required: ["n0"],
      additionalProperties: false,
    };
    const tools = record(200, (index) => ({ name: `t${index}`, description: "x", parameters }));
    const variables = list(20, (index) => ({
      name: `v${index}`,
      type: "string",
      default: "AB-12",
      validation: { pattern: `^[A-Z]{2,${index + 4}}-[0-9]{1,8}$` },
    }));
    const prompts = record(50, () =>
      aPrompt({ variables, system_template: variables.map(({ name }) => `{{${name}}}`).join(" ") }),
    );
    expect(accepted(aPackText({ tools, prompts })).warnings).toEqual([]);
  });

  it("may have many prompts with many tools, each looked up at once", () => {
    const tools = record(4_000, (index) => ({ name: `t${index}`, description: "x" }));
    const prompts = record(2_000, () => aPrompt({ tools: ["n0", "t3999", "other"] }));
    expect(accepted(aPackText({ tools, prompts })).warnings).toHaveLength(2_000);
  });
});
