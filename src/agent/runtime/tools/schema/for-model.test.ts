import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  forModel,
  MAX_MODEL_SCHEMA_CHARACTERS,
  MAX_MODEL_SCHEMA_DEPTH,
  MAX_MODEL_SCHEMA_NODES,
} from "./for-model.ts";

const TAKEN = new Set([
  "type",
  "title",
  "description",
  "enum",
  "properties",
  "required",
  "items",
  "anyOf",
  "additionalProperties",
  "format",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "pattern",
  "default",
]);

type Node = Record<string, unknown>;

/** Every schema within a schema, with its depth. */
function nodesOf(schema: Node, depth = 0): { node: Node; depth: number }[] {
  const { properties = {}, items, anyOf = [], additionalProperties } = schema;
  const parts = [
    ...Object.values(properties as object),
    ...(anyOf as unknown[]),
    items,
    additionalProperties,
  ].filter((part): part is Node => typeof part === "object" && part !== null);
  return [{ node: schema, depth }, ...parts.flatMap((part) => nodesOf(part, depth + 1))];
}

/** What a provider would refuse in a schema. */
function refusedIn(made: Node): string[] {
  const nodes = nodesOf(made);
  const rules: [rule: string, holds: boolean][] = [
    ["an object at the top", made["type"] === "object" && typeof made["properties"] === "object"],
    ["no union at the top", made["anyOf"] === undefined],
    ["few characters", JSON.stringify(made).length <= MAX_MODEL_SCHEMA_CHARACTERS],
    ["few schemas", nodes.length <= MAX_MODEL_SCHEMA_NODES],
    ["few levels", nodes.every(({ depth }) => depth <= MAX_MODEL_SCHEMA_DEPTH)],
    ...nodes.flatMap(({ node }) => rulesOf(node)),
  ];
  return rules.filter(([, holds]) => !holds).map(([rule]) => rule);
}

function rulesOf(node: Node): [rule: string, holds: boolean][] {
  const { properties = {}, required = [], type, anyOf, enum: values } = node;
  const keywords = Object.keys(node);
  const names = Object.keys(properties as object);
  const beside = keywords.filter((keyword) => !["description", "anyOf"].includes(keyword));
  return [
    ["known keywords", keywords.every((keyword) => TAKEN.has(keyword))],
    ["fields for all that is required", (required as string[]).every((one) => names.includes(one))],
    ["plain names", names.every((one) => /^[a-zA-Z0-9_.-]{1,64}$/.test(one))],
    ["items of lists", ![type].flat().includes("array") || node["items"] !== undefined],
    ["choices of texts", values === undefined || [type].flat().includes("string")],
    ["unions alone", anyOf === undefined || (beside.length === 0 && (anyOf as []).length > 1)],
  ];
}

const leaf = fc.oneof(
  fc.boolean(),
  fc.record(
    {
      type: fc.constantFrom("string", "integer", "number", "null", ["string", "null"], "text", 3),
      description: fc.string(),
      enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { maxLength: 4 }),
      const: fc.jsonValue({ maxDepth: 1 }),
      format: fc.constantFrom("date-time", "email"),
      exclusiveMinimum: fc.oneof(fc.integer(), fc.boolean(), fc.double()),
      minimum: fc.integer(),
      pattern: fc.string(),
      nullable: fc.boolean(),
      default: fc.jsonValue({ maxDepth: 1 }),
      multipleOf: fc.integer(),
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom({ $ref: "#" }, { $ref: "#/$defs/a" }, { $ref: "#/$defs/b" }, { $ref: "x.json" }),
  fc.anything({ maxDepth: 1 }),
);
const name = fc.constantFrom("a", "b", "c", "order id", "größe", "__proto__", "x".repeat(70));
const { schema: anySchema } = fc.letrec((tie) => ({
  schema: fc.oneof({ maxDepth: 4 }, leaf, tie("node")),
  node: fc.record(
    {
      type: fc.constantFrom("object", "array", "string", ["object", "null"]),
      description: fc.constantFrom("one", "two"),
      properties: fc.dictionary(name, tie("schema"), { maxKeys: 3 }),
      required: fc.array(name, { maxLength: 3 }),
      items: fc.oneof(tie("schema"), fc.array(tie("schema"), { maxLength: 3 })),
      prefixItems: fc.array(tie("schema"), { maxLength: 3 }),
      additionalProperties: tie("schema"),
      anyOf: fc.array(tie("schema"), { maxLength: 3 }),
      oneOf: fc.array(tie("schema"), { maxLength: 3 }),
      allOf: fc.array(tie("schema"), { maxLength: 3 }),
      not: tie("schema"),
      if: tie("schema"),
      $defs: fc.record({ a: tie("schema"), b: tie("schema") }),
      $schema: fc.constant("https://json-schema.org/draft/2020-12/schema"),
    },
    { requiredKeys: [] },
  ),
}));

describe("the schema that a model is told", () => {
  it("is one that every provider takes, whatever schema it comes from", () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        expect(refusedIn(forModel(schema))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("stays as it is when it is made again", () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        const made = forModel(schema);
        expect(forModel(made)).toEqual(made);
      }),
      { numRuns: 200 },
    );
  });

  it("stays as it is when its alternatives come to the same", () => {
    const made = forModel({
      type: "object",
      anyOf: [
        { allOf: [{ properties: { a: { $ref: "#" } } }] },
        { $ref: "#/$defs/b" },
        { description: "two", oneOf: [true] },
      ],
      $defs: { b: { description: "two" } },
    });
    expect(forModel(made)).toEqual(made);
  });

  it("stays as it is where nothing is to be changed", () => {
    const schema = {
      type: "object",
      description: "An order",
      properties: {
        city: { type: "string", enum: ["Oslo", "Rome"], description: "Where" },
        days: { type: "array", items: { type: "integer", minimum: 1, maximum: 7 }, minItems: 1 },
        at: { type: "string", format: "date-time" },
        note: { type: ["string", "null"], default: null, maxLength: 100, pattern: "^a" },
        area: { type: "object", properties: { lat: { type: "number" } }, required: ["lat"] },
      },
      required: ["city"],
      additionalProperties: false,
    };
    expect(forModel(schema)).toEqual(schema);
  });

  it.each<[string, unknown, unknown]>([
    ["a schema of nothing", {}, { type: "object", properties: {} }],
    ["no schema", "text", { type: "object", properties: {} }],
    ["a schema of a text", { type: "string", enum: ["a"] }, { type: "object", properties: {} }],
    [
      "local references",
      {
        $defs: { city: { type: "string", description: "A city" } },
        properties: {
          to: { $ref: "#/$defs/city", description: "The last" },
          from: { $ref: "#/$defs/city" },
        },
      },
      {
        type: "object",
        properties: {
          to: { type: "string", description: "The last" },
          from: { type: "string", description: "A city" },
        },
      },
    ],
    [
      "a reference within itself, which is cut",
      {
        $defs: { tree: { type: "object", properties: { left: { $ref: "#/$defs/tree" } } } },
        properties: { tree: { $ref: "#/$defs/tree" } },
      },
      {
        type: "object",
        properties: {
          tree: {
            type: "object",
            properties: { left: { type: "object", properties: { left: {} } } },
          },
        },
      },
    ],
    [
      "a union at the top",
      {
        type: "object",
        properties: { kind: { type: "string" } },
        required: ["kind"],
        oneOf: [
          { properties: { email: { type: "string" } }, required: ["email"] },
          { properties: { phone: { type: "string" } }, required: ["phone"] },
        ],
      },
      {
        type: "object",
        description: "Give the fields of one of these: email, phone.",
        properties: {
          kind: { type: "string" },
          email: { type: "string" },
          phone: { type: "string" },
        },
        required: ["kind"],
      },
    ],
    [
      "a union at the top whose forms are told apart by a field",
      {
        anyOf: [
          { properties: { kind: { const: "a" }, n: { type: "integer" } }, required: ["kind"] },
          { properties: { kind: { const: "b" }, n: { type: "string" } }, required: ["kind"] },
        ],
      },
      {
        type: "object",
        properties: {
          kind: { type: "string", enum: ["a", "b"] },
          n: { anyOf: [{ type: "integer" }, { type: "string" }] },
        },
        required: ["kind"],
      },
    ],
    [
      "allOf",
      {
        allOf: [
          { properties: { a: { type: "string" } }, required: ["a"] },
          { properties: { b: { type: "string" }, a: { description: "First" } } },
        ],
      },
      {
        type: "object",
        properties: { a: { type: "string", description: "First" }, b: { type: "string" } },
        required: ["a"],
      },
    ],
    [
      "keywords that a provider refuses",
      {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        $id: "x",
        type: "object",
        properties: {
          n: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 10, multipleOf: 2 },
          mail: { type: "string", format: "email", contentEncoding: "base64" },
          size: { enum: [1, 2, null] },
          maybe: { type: "string", nullable: true, const: "x" },
          never: false,
          list: { type: "array" },
          pair: { prefixItems: [{ type: "string" }, { type: "number" }] },
          "order id": { type: "string" },
        },
        required: ["order id", "n", "unknown"],
        patternProperties: { "^x": {} },
        propertyNames: { maxLength: 3 },
        if: {},
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: {},
        additionalProperties: true,
      },
      {
        type: "object",
        description: 'It also takes the fields: "order id".',
        properties: {
          n: { type: "integer", minimum: 1, maximum: 9 },
          mail: { type: "string", description: "Format: email." },
          size: { type: ["number", "null"], description: "One of: 1, 2, null." },
          maybe: { type: ["string", "null"], enum: ["x"] },
          list: { type: "array", items: {} },
          pair: { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } },
        },
        required: ["n"],
      },
    ],
  ])("is made of %s", (_, schema, made) => {
    expect(forModel(schema)).toEqual(made);
    expect(refusedIn(forModel(schema))).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["allOf that doubles at every step", { allOf: [{ $ref: "#" }, { $ref: "#" }] }],
    ["a union of itself", { anyOf: Array.from({ length: 50 }, () => ({ $ref: "#" })) }],
    [
      "a field that doubles at every step",
      {
        $defs: Object.fromEntries(
          Array.from({ length: 40 }, (__, at) => {
            const next = { $ref: `#/$defs/d${at + 1}` };
            return [`d${at}`, { type: "object", properties: { a: next, b: next } }];
          }),
        ),
        $ref: "#/$defs/d0",
      },
    ],
    [
      "a chain of references",
      {
        $defs: Object.fromEntries(
          Array.from({ length: 2_000 }, (__, at) => [
            `d${at}`,
            { anyOf: [{ $ref: `#/$defs/d${at + 1}` }] },
          ]),
        ),
        $ref: "#/$defs/d0",
      },
    ],
    [
      "ten thousand fields",
      {
        properties: Object.fromEntries(
          Array.from({ length: 10_000 }, (__, at) => [`f${at}`, { type: "string" }]),
        ),
      },
    ],
    [
      "a description of a megabyte",
      { description: "x".repeat(1024 * 1024), properties: { a: {} } },
    ],
  ])("is bounded for %s", (_, schema) => {
    const made = forModel(schema);
    expect(refusedIn(made)).toEqual([]);
    expect(forModel(made)).toEqual(made);
  });
});
