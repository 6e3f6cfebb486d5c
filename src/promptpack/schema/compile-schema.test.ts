import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WorkBudget } from "../patterns/work-budget.ts";
import { compileSchema, MAX_SCHEMA_CHARACTERS, Schemas } from "./compile-schema.ts";

type Schema = Record<string, unknown>;

/** An object with such a field, when it is written as one, looks like a promise to the linter. */
const whenTrue = <T>(schema: T): Record<string, T> =>
  JSON.parse(`{"then":0}`, (key, value: T) => (key === "" ? value : schema)) as Record<string, T>;
const LIMITS = { maxSteps: 1_000_000, maxProblems: 5 };

function problemsOf(schema: Schema, value: unknown): readonly string[] {
  const compiled = compileSchema(schema);
  if (!compiled.ok) throw new Error(compiled.problem);
  return compiled.check(value, LIMITS);
}

function refusalOf(schema: Schema): string {
  const compiled = compileSchema(schema);
  if (compiled.ok) throw new Error("the schema was accepted");
  return compiled.problem;
}

const list = <T>(length: number, item: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => item(index));

describe("a value against a schema", () => {
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(null, true, false, 0, 1, 2.5, -3, "", "a", "abc", "😀"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "c", "/~"), tie("value"), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  })).value;
  const small = fc.integer({ min: 0, max: 3 });
  const types = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 });
  const schema = fc.letrec<{ schema: Schema; any: unknown }>((tie) => {
    const few = { maxKeys: 2, noNullPrototype: true };
    const named = fc.dictionary(fc.constantFrom("a", "b", "c", "/~"), tie("any"), few);
    const several = fc.array(tie("any"), { minLength: 1, maxLength: 2 });
    const keywords: Record<string, fc.Arbitrary<unknown>> = {
      type: fc.oneof(
        fc.constantFrom(...types),
        fc.uniqueArray(fc.constantFrom(...types), { minLength: 1, maxLength: 3 }),
      ),
      enum: fc.array(value, { minLength: 1, maxLength: 4 }),
      const: value,
      minimum: small,
      exclusiveMaximum: small,
      multipleOf: fc.constantFrom(1, 2, 0.5),
      minLength: small,
      maxLength: small,
      pattern: fc.constantFrom("^a", "b", "^.$"),
      minItems: small,
      maxItems: small,
      uniqueItems: fc.boolean(),
      items: tie("any"),
      prefixItems: several,
      contains: tie("any"),
      minContains: small,
      properties: named,
      patternProperties: fc.dictionary(fc.constantFrom("^a", "[bc]"), tie("any"), few),
      additionalProperties: tie("any"),
      propertyNames: tie("any"),
      required: names,
      minProperties: small,
      maxProperties: small,
      dependentRequired: fc.dictionary(fc.constantFrom("a", "b"), names, few),
      dependentSchemas: fc.dictionary(fc.constantFrom("a", "b"), tie("any"), few),
      not: tie("any"),
      allOf: several,
      anyOf: several,
      oneOf: several,
      if: tie("any"),
      ...whenTrue(tie("any")),
      else: tie("any"),
      $ref: fc.constantFrom("#/$defs/one", "#/$defs/two", "#three"),
    };
    const keyword = fc.oneof(
      ...Object.entries(keywords).map(([name, written]) =>
        fc.record({ [name]: written }, { noNullPrototype: true }),
      ),
    );
    return {
      any: fc.oneof({ maxDepth: 3 }, fc.boolean(), tie("schema")),
      schema: fc
        .array(keyword, { maxLength: 4 })
        .map((written) => Object.assign({}, ...written) as Schema),
    };
  }).schema;
  const document = fc
    .tuple(schema, schema, schema, schema)
    .map(([root, one, two, three]): Schema => ({
      ...root,
      $defs: { one, two, three: { ...three, $anchor: "three" } },
    }));

  it("is judged as Ajv judges it", () => {
    let judged = 0;
    fc.assert(
      fc.property(document, fc.array(value, { minLength: 1, maxLength: 5 }), (root, values) => {
        const compiled = compileSchema(root);
        // Ajv would follow schemas that refer to themselves without end.
        if (!compiled.ok && /without end|references/.test(compiled.problem)) return;
        if (!compiled.ok) throw new Error(compiled.problem);
        const options = {
          strict: false,
          allErrors: true,
          validateFormats: false,
          logger: false,
        } as const;
        const validate = new Ajv2020(options).compile(root);
        for (const one of values) {
          let wanted: boolean;
          try {
            wanted = validate(one);
          } catch {
            // Ajv fails where patternProperties stands beside some alternatives.
            continue;
          }
          judged += 1;
          expect(compiled.check(one, LIMITS).length === 0).toBe(wanted);
        }
      }),
      { numRuns: 200, interruptAfterTimeLimit: 3_000 },
    );
    expect(judged).toBeGreaterThan(0);
  });

  it.each<[Schema, unknown]>([
    [{ type: "object", properties: { a: { type: "string" } }, required: ["a", "b"] }, { a: 1 }],
    [{ properties: { a: { type: ["string", "null"] } } }, { a: 1 }],
    [{ properties: { a: { enum: ["x", "y"] }, b: { const: 1 } } }, { a: "z", b: 2 }],
    [{ properties: { a: { minimum: 1 }, b: { maximum: 1 } } }, { a: 0, b: 2 }],
    [{ properties: { a: { exclusiveMinimum: 1 }, b: { exclusiveMaximum: 1 } } }, { a: 1, b: 1 }],
    [{ properties: { a: { multipleOf: 0.5 } } }, { a: 0.3 }],
    [
      { properties: { a: { minLength: 2, pattern: "^x" }, b: { maxLength: 1 } } },
      { a: "a", b: "ab" },
    ],
    [{ properties: { a: { minItems: 2 }, b: { maxItems: 1 } } }, { a: [], b: [1, 2] }],
    [{ properties: { a: { uniqueItems: true } } }, { a: [{ b: 1, c: 2 }, 1, { c: 2, b: 1 }] }],
    [{ properties: { a: { items: { type: "string" } } } }, { a: ["x", 1] }],
    [{ properties: { a: { items: [true], additionalItems: false } } }, { a: [1, 2] }],
    [{ properties: { a: { contains: { const: 1 } } } }, { a: [] }],
    [
      { additionalProperties: false, properties: { a: {} } },
      { a: 1, b: 2 },
    ],
    [{ additionalProperties: { type: "string" } }, { "a/b~c": 1 }],
    [{ patternProperties: { "^a": { type: "string" } } }, { ab: 1 }],
    [{ propertyNames: { maxLength: 1 } }, { ab: 1 }],
    [{ minProperties: 2, maxProperties: 3 }, { a: 1 }],
    [{ dependencies: { a: ["b"], c: ["d", "e"] } }, { a: 1, c: 1 }],
    [{ anyOf: [{ required: ["a"] }, { required: ["b"] }] }, {}],
    [{ oneOf: [{ required: ["a"] }, { required: ["b"] }] }, { a: 1, b: 2 }],
    [{ not: { required: ["a"] } }, { a: 1 }],
    [{ if: { required: ["a"] }, ...whenTrue({ required: ["b"] }) }, { a: 1 }],
    [{ if: { required: ["a"] }, ...whenTrue(true), else: { required: ["b"] } }, {}],
    [{ properties: { a: { type: "string", nullable: true } } }, { a: 1 }],
    [{ properties: { a: false } }, { a: 1 }],
  ])("%j has the problems that it has for Ajv", (root, wrong) => {
    const validate = new Ajv({ strict: false, allErrors: true, logger: false }).compile(root);
    expect(validate(wrong)).toBe(false);
    const messages = validate.errors?.map(
      ({ instancePath, message }) => `${instancePath === "" ? "they" : instancePath} ${message}`,
    );
    expect(problemsOf(root, wrong)).toEqual(messages);
  });

  it("may be asked for no more than what the schema speaks of, wherever it does", () => {
    const root = {
      allOf: [{ properties: { a: true } }],
      anyOf: [
        { required: ["x"], properties: { b: true } },
        { properties: { c: { type: "string" } } },
      ],
      if: { required: ["d"] },
      ...whenTrue({ properties: { d: true } }),
      dependentSchemas: { e: { properties: { e: true } } },
      patternProperties: { "^f": true },
      $ref: "#/$defs/g",
      $defs: { g: { properties: { g: { prefixItems: [true], unevaluatedItems: false } } } },
      unevaluatedProperties: false,
    };
    const known = { a: 1, c: "c", d: 1, e: 1, fa: 1, g: [1] };
    expect(problemsOf(root, known)).toEqual([]);
    expect(problemsOf(root, { ...known, b: 1 })).toEqual([
      "they must NOT have unevaluated properties",
    ]);
    expect(problemsOf(root, { ...known, b: 1, x: 1 })).toHaveLength(1);
    expect(problemsOf(root, { g: [1, 2] })).toEqual(["/g must NOT have more than 1 items"]);
    const listed = {
      contains: { type: "string" },
      items: [true],
      unevaluatedItems: { type: "null" },
    };
    expect(problemsOf(listed, [1, "a", null])).toEqual([]);
    expect(problemsOf(listed, [1, "a", 2])).toEqual(["/2 must be null"]);
  });

  it("may be null where OpenAPI says nullable", () => {
    const root = { properties: { a: { type: "string", nullable: true } } };
    expect(problemsOf(root, { a: null })).toEqual([]);
  });

  it("may be as deep as a schema that refers to itself", () => {
    const root = {
      properties: { child: { $ref: "#" }, name: { type: "string" } },
      required: ["name"],
    };
    const nested = (depth: number): object =>
      depth === 0 ? { name: 1 } : { name: "x", child: nested(depth - 1) };
    expect(problemsOf(root, nested(90))).toEqual([`${"/child".repeat(90)}/name must be string`]);
  });

  it("is not deceived by names that JavaScript gives to every object", () => {
    const root = JSON.parse(
      '{"properties":{"__proto__":{"type":"string"}},"required":["toString"]}',
    );
    expect(problemsOf(root as Schema, JSON.parse('{"__proto__":1}'))).toEqual([
      "they must have required property 'toString'",
      "/__proto__ must be string",
    ]);
  });
});

describe("a schema", () => {
  it.each<[Schema, string]>([
    [{ type: "text" }, "type must be one of object, array, string, number, integer, boolean, null"],
    [{ properties: [] }, "properties must be a mapping"],
    [{ properties: { a: 1 } }, "properties.a must be a schema"],
    [
      { properties: { a: { required: true } } },
      "properties.a.required must be a list of names, in",
    ],
    [{ properties: { a: { exclusiveMinimum: true } } }, "exclusiveMinimum must be a number; write"],
    [{ properties: { a: { minLength: -1 } } }, "properties.a.minLength must be an integer of 0"],
    [{ properties: { a: { multipleOf: 0 } } }, "properties.a.multipleOf must be a number greater"],
    [{ properties: { a: { enum: [] } } }, "properties.a.enum must be a list of at least one"],
    [{ anyOf: [] }, "anyOf must be a list of at least one schema"],
    [{ properties: { a: { pattern: "(?!x)" } } }, "properties.a.pattern is no regular expression"],
    [{ properties: { a: { pattern: "(" } } }, "properties.a.pattern is no regular expression"],
    [{ patternProperties: { "\\1": {} } }, 'patternProperties["\\\\1"] is no regular expression'],
    [{ properties: { a: { pattern: "((a{900}){900})" } } }, "properties.a.pattern is too large"],
    [{ $ref: "#/$defs/a" }, '["$ref"] "#/$defs/a" leads nowhere'],
    [{ $ref: "https://example.com/a" }, '["$ref"] "https://example.com/a" leads out of the schema'],
    [
      { properties: { a: { $id: "https://example.com/a", properties: { b: { $ref: "#" } } } } },
      'properties.a.properties.b["$ref"] stands in a schema with an $id of its own',
    ],
    [{ allOf: [{ $ref: "#" }] }, "it refers to itself without end"],
    [
      {
        $ref: "#/$defs/a",
        $defs: { a: { anyOf: [{ $ref: "#/$defs/b" }] }, b: { not: { $ref: "#/$defs/a" } } },
      },
      "it refers to itself without end",
    ],
    [
      {
        $ref: "#/$defs/d0",
        $defs: Object.fromEntries(
          list(99, (index) => [`d${index}`, index === 98 ? {} : { $ref: `#/$defs/d${index + 1}` }]),
        ),
      },
      "it leads through more than 64 references",
    ],
    [{ description: "x".repeat(MAX_SCHEMA_CHARACTERS) }, "it is larger than 64 KiB"],
    [list(5_000, () => 0).reduce<Schema>((items) => ({ items }), {}), "it is nested more than 100"],
    [{ anyOf: list(600, (index) => ({ pattern: `a{50}${index}` })) }, "is too much work, together"],
  ])("is refused with its place and the cure: %#", (root, problem) => {
    expect(refusalOf(root)).toContain(problem);
  });

  it("may have what it does not use", () => {
    const root = {
      $defs: { unused: { pattern: "(?=x)" } },
      format: "(",
      "x-own": { type: "text" },
    };
    expect(problemsOf(root, {})).toEqual([]);
  });

  it("shares its patterns and the work with others that are judged together", () => {
    const schemas = new Schemas(new WorkBudget(1_000_000));
    const withPattern = (pattern: string) => schemas.compile({ properties: { a: { pattern } } }).ok;
    expect(list(100, () => withPattern("^[a-z]{1,500}$"))).not.toContain(false);
    const others = list(100, (index) => withPattern(`^b{500}${index}$`));
    expect(others[0]).toBe(true);
    expect(others.at(-1)).toBe(false);
  });
});

describe("the work of a check", () => {
  const twice = (next: string): Schema => ({ anyOf: [{ $ref: next }, { $ref: next }] });

  it.each<[string, Schema, unknown]>([
    [
      "alternatives that double at each step",
      {
        $ref: "#/$defs/d0",
        $defs: Object.fromEntries(
          list(31, (index) => [
            `d${index}`,
            index === 30 ? { not: {} } : twice(`#/$defs/d${index + 1}`),
          ]),
        ),
      },
      {},
    ],
    [
      "alternatives that double at each level",
      {
        anyOf: [
          { type: "string" },
          { items: { $ref: "#" } },
          { items: { $ref: "#" }, maxItems: 0 },
        ],
      },
      list(40, () => 0).reduce<unknown>((inner) => [inner, inner], 1),
    ],
    ["a large pattern for a long text", { pattern: "^(a?){500}$" }, "a".repeat(100_000)],
    [
      "many patterns for many names",
      { patternProperties: Object.fromEntries(list(100, (index) => [`^(a+)+${index}$`, true])) },
      Object.fromEntries(list(5_000, (index) => ["a".repeat(30) + index, 1])),
    ],
    [
      "long lists of unlike items",
      { items: { uniqueItems: true } },
      list(99, () => list(9_999, String)),
    ],
  ])("is bounded for %s, and then nothing passes", (_what, root, wrong) => {
    expect(problemsOf(root, wrong)).toEqual([
      expect.stringMatching(/^they cannot be checked: it is (too much work|nested too deeply); /),
    ]);
  });

  it("grows with a list of unlike items as that grows, and no faster", () => {
    const compiled = compileSchema({ uniqueItems: true });
    if (!compiled.ok) throw new Error(compiled.problem);
    const items = list(9_000, (index) => ({ index }));
    expect(compiled.check(items, { maxSteps: 200 * items.length, maxProblems: 1 })).toEqual([]);
  });

  it("does not grow with the values of an enum", () => {
    const root = { enum: list(5_000, (index) => [index]) };
    const compiled = compileSchema(root);
    if (!compiled.ok) throw new Error(compiled.problem);
    expect(compiled.check([4_999], { maxSteps: 200, maxProblems: 1 })).toEqual([]);
  });

  it("is never more than it may be, whatever the schema and the value", () => {
    const anything = fc.object({
      key: fc.constantFrom(
        "type",
        "properties",
        "items",
        "anyOf",
        "allOf",
        "oneOf",
        "not",
        "$ref",
        "enum",
        "const",
        "required",
        "pattern",
        "patternProperties",
        "additionalProperties",
        "uniqueItems",
        "if",
        "then",
        "$defs",
        "minLength",
        "unevaluatedProperties",
        "dependencies",
        "a",
        "contains",
      ),
      values: [
        fc.constantFrom<unknown>("#", "#/a", "#/properties/a", "object", "string", "(a+)+$", "a"),
        fc.constantFrom<unknown>(true, false, null, 0, 1, 3.5, -1),
      ],
      maxDepth: 5,
      maxKeys: 5,
    });
    fc.assert(
      fc.property(anything, anything, (root, one) => {
        const compiled = new Schemas(new WorkBudget(1_000_000)).compile(root);
        const problems = compiled.ok ? compiled.check(one, LIMITS) : [compiled.problem];
        expect(problems.every((problem) => problem !== "")).toBe(true);
      }),
      { numRuns: 500, interruptAfterTimeLimit: 4_000 },
    );
  });
});
