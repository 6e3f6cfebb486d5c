import { describe, expect, it } from "vitest";
import { checkToolArguments, parseToolArguments } from "./tool-arguments.ts";

describe("the arguments that a model writes", () => {
  it("are a JSON object, or nothing", () => {
    expect(parseToolArguments('{"city":"Oslo"}')).toEqual({
      ok: true,
      arguments: { city: "Oslo" },
    });
    expect(parseToolArguments(" ")).toEqual({ ok: true, arguments: {} });
  });

  it.each(['{"city":', "[1]", '"Oslo"', "null", "42"])(
    "are refused as %s, with the reason",
    (input) => {
      expect(parseToolArguments(input)).toMatchObject({ ok: false, problem: /^the arguments / });
    },
  );
});

describe("arguments against the schema of a tool", () => {
  const schema = {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
    required: ["city"],
    additionalProperties: false,
  };

  it("pass when they match", async () => {
    expect(await checkToolArguments(schema, { city: "Oslo", days: 3 })).toBeUndefined();
  });

  it("come with every problem, for the model to mend them at once", async () => {
    expect(await checkToolArguments(schema, { days: 0, town: "Oslo" })).toBe(
      "the arguments do not match the tool's schema: they must have required property 'city'; " +
        "they must NOT have additional properties; /days must be >= 1",
    );
  });

  it.each([
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2020-12/schema",
  ])("are checked under %s", async ($schema) => {
    const check = checkToolArguments({ $schema, $id: "weather", ...schema }, { city: 1 });
    expect(await check).toContain("/city must be string");
  });

  it("pass when the schema itself is of no use: the tool looks at them too", async () => {
    expect(await checkToolArguments({ type: "nonsense" }, { city: 1 })).toBeUndefined();
    expect(await checkToolArguments({ $ref: "#/missing" }, { city: 1 })).toBeUndefined();
  });
});
