import { describe, expect, it } from "vitest";
import { MAX_ARGUMENT_CHARACTERS } from "../../contracts/limits.ts";
import { checkToolArguments, parseToolArguments } from "./tool-arguments.ts";

/** By the schema of a registry. */
function checkArguments(
  inputSchema: Readonly<Record<string, unknown>>,
  value: Record<string, unknown>,
): Promise<string | undefined> {
  return checkToolArguments({ inputSchema, isJudgedByServer: false }, value);
}

describe("the arguments that a model writes", () => {
  it("are a JSON object, or nothing", () => {
    expect(parseToolArguments('{"city":"Oslo"}')).toEqual({
      ok: true,
      arguments: { city: "Oslo" },
    });
    expect(parseToolArguments(" ")).toEqual({ ok: true, arguments: {} });
  });

  it.each([
    ["null for nothing", "null", {}],
    ["the object as a string", '"{\\"city\\":\\"Oslo\\"}"', { city: "Oslo" }],
    [
      "half a surrogate pair",
      '{"city":"Os\\ud83dlo","\\udc00":1}',
      { city: "Os\uFFFDlo", "\uFFFD": 1 },
    ],
    ["half a pair in the object as a string", '"{\\"city\\":\\"\\\\ud83d\\"}"', { city: "\uFFFD" }],
    ["a pair", '{"city":"\\uD83D\\uDE00"}', { city: "😀" }],
    ["the object before a mark of the model", '{"city":"Oslo"}<|im_end|>\n', { city: "Oslo" }],
    ["the object within tags", '<tool_call>\n{"city":"Oslo"}\n</tool_call>', { city: "Oslo" }],
    ["the object in a block of code", '```json\n{"city":"}```"}\n```', { city: "}```" }],
    ["a line break within a string", '{"city":"Os\nlo"}', { city: "Os\nlo" }],
  ])("may be %s", (_what, input, wanted) => {
    expect(parseToolArguments(input)).toEqual({ ok: true, arguments: wanted });
  });

  it.each([
    '{"city":',
    "[1]",
    '"Oslo"',
    '"{"',
    "42",
    '{"city":"Os<|im_end|>',
    '{"city":"Oslo"} and more',
    '{"city":"Oslo"}}',
    "{'city':'Oslo'}",
  ])("are refused as %s, with the reason", (input) => {
    expect(parseToolArguments(input)).toMatchObject({ ok: false, problem: /^the arguments / });
  });
});

describe("arguments against the schema of a tool", () => {
  const schema = {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
    required: ["city"],
    additionalProperties: false,
  };

  it("pass when they match", async () => {
    expect(await checkArguments(schema, { city: "Oslo", days: 3 })).toBeUndefined();
  });

  it("come with every problem, for the model to mend them at once", async () => {
    expect(await checkArguments(schema, { days: 0, town: "Oslo" })).toBe(
      "the arguments do not match the tool's schema: they must have required property 'city'; " +
        "they must NOT have additional properties; /days must be >= 1",
    );
  });

  it.each([
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2020-12/schema",
  ])("are checked under %s", async ($schema) => {
    const check = checkArguments({ $schema, $id: "weather", ...schema }, { city: 1 });
    expect(await check).toContain("/city must be string");
  });

  it.each([
    [{ type: "nonsense" }, "type must be one of object, array, string"],
    [{ $ref: "#/missing" }, '["$ref"] "#/missing" leads nowhere'],
    [{ properties: { city: { pattern: "(?=x)" } } }, "properties.city.pattern is no regular"],
    [{ allOf: [{ $ref: "#" }] }, "it refers to itself without end"],
  ])("are refused when the schema cannot be used, such as %j", async (schema, problem) => {
    const check = await checkArguments(schema, { city: "Oslo" });
    expect(check).toContain("not called: the schema of the tool's arguments cannot be used: ");
    expect(check).toContain(problem);
  });

  it.each([
    { type: "nonsense" },
    { properties: { city: { $ref: "http://10.0.0.1/schema.json" } } },
    { properties: { city: { pattern: "^(?!x)" } } },
    {
      properties: { city: { enum: Array.from({ length: 20_000 }, (_, index) => `city-${index}`) } },
    },
  ])("are left to the server when its own schema cannot be used", async (inputSchema) => {
    const rule = { inputSchema, isJudgedByServer: true };
    expect(await checkToolArguments(rule, { city: "Oslo" })).toBeUndefined();
  });

  it("of a server are checked by a schema that can be used", async () => {
    const rule = { inputSchema: schema, isJudgedByServer: true };
    expect(await checkToolArguments(rule, { city: 1 })).toContain("/city must be string");
  });

  it("are refused when they cannot be judged within the bounds", async () => {
    const twice = (next: string): object => ({ anyOf: [{ $ref: next }, { $ref: next }] });
    const $defs: Record<string, object> = { d30: { not: {} } };
    for (let index = 0; index < 30; index += 1) $defs[`d${index}`] = twice(`#/$defs/d${index + 1}`);
    const check = await checkArguments({ $defs, $ref: "#/$defs/d0" }, { city: "Oslo" });
    expect(check).toContain("they cannot be checked: it is too much work");
  });
});

describe("arguments that are too much", () => {
  it("are refused before they are read", () => {
    const input = `{"city":"${"x".repeat(MAX_ARGUMENT_CHARACTERS)}"}`;
    expect(parseToolArguments(input)).toEqual({
      ok: false,
      problem: "the arguments are longer than 1024 KiB; make them shorter",
    });
  });

  it("are refused when they are nested too deeply", () => {
    const input = `{"city":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    expect(parseToolArguments(input)).toEqual({
      ok: false,
      problem: "the arguments are nested more than 100 deep; make them flatter",
    });
  });
});
