import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formFields, type Field, type Schema } from "./form-fields.ts";
import { formArguments, formValues, keyOf, type FormValues } from "./form-values.ts";

const BOOKING: Schema = {
  type: "object",
  required: ["city", "guests"],
  properties: {
    note: { type: "string", maxLength: 2_000, description: "Anything else" },
    city: { type: "string" },
    guests: { type: "integer" },
    budget: { type: ["number", "null"] },
    breakfast: { type: "boolean" },
    room: { enum: ["single", "double", 3] },
    dates: {
      type: "object",
      required: ["from"],
      properties: { from: { type: "string" }, to: { type: "string" } },
    },
    tags: { type: "array", items: { type: "string" } },
  },
};

function fieldsOf(schema: Schema): readonly Field[] {
  const fields = formFields(schema);
  if (fields === undefined) throw new Error("the schema has no form");
  return fields;
}

const typed = (values: Record<string, string>): FormValues =>
  Object.fromEntries(
    Object.entries(values).map(([path, text]) => [JSON.stringify(path.split(".")), text]),
  );

describe("the form of a tool", () => {
  it("has a field for every property, those that are required first", () => {
    expect(fieldsOf(BOOKING).map(({ name, type }) => `${name}: ${type}`)).toEqual([
      "city: text",
      "guests: number",
      "note: text",
      "budget: number",
      "breakfast: boolean",
      "room: choice",
      "dates: group",
      "tags: json",
    ]);
  });

  it("leaves out what nobody touched, and keeps what was emptied", () => {
    const values = typed({ city: "Berlin", guests: "2", note: "" });
    expect(formArguments(fieldsOf(BOOKING), values)).toEqual({
      arguments: { city: "Berlin", guests: 2, note: "" },
      problems: [],
    });
  });

  it("asks for what a group requires only once the group is touched", () => {
    const values = typed({ city: "Berlin", guests: "2", "dates.to": "2026-12-01" });
    const { problems } = formArguments(fieldsOf(BOOKING), values);
    expect(problems).toEqual([{ key: '["dates","from"]', message: "This is required." }]);
  });

  it.each([
    ["guests", "two", "This is no number."],
    ["guests", "", "This is no number."],
    ["guests", "1.5", "This is no whole number."],
    ["guests", "Infinity", "This is no number."],
    ["budget", "1e999", "This is no number."],
    ["room", "triple", "This is no choice."],
    ["tags", "[", "This is no JSON."],
  ])("says what is wrong with %s: %j", (name, text, message) => {
    const values = { ...typed({ city: "Berlin", guests: "2" }), ...typed({ [name]: text }) };
    expect(formArguments(fieldsOf(BOOKING), values).problems).toEqual([
      { key: JSON.stringify([name]), message },
    ]);
  });

  it("tells a number among the choices from the text of it", () => {
    const values = typed({ city: "Berlin", guests: "2", room: "3" });
    expect(formArguments(fieldsOf(BOOKING), values).arguments["room"]).toBe(3);
  });

  it.each([
    ["no properties", { type: "array" }],
    ["a reference", { type: "object", properties: {}, $ref: "#/x" }],
    ["alternatives", { type: "object", properties: { a: {} }, oneOf: [{}, {}] }],
    ["nothing", {}],
    [
      "too many fields",
      {
        type: "object",
        properties: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [index, {}])),
      },
    ],
  ])("is not there for a schema with %s", (_, schema) => {
    expect(formFields(schema)).toBeUndefined();
  });

  it("is empty for a tool that takes nothing", () => {
    expect(formFields({ type: "object" })).toEqual([]);
    expect(formFields({ type: "object", properties: {} })).toEqual([]);
  });

  it("makes JSON of what is nested too deep, or says more than a form can", () => {
    const deep = (depth: number): Schema =>
      depth === 0 ? { type: "string" } : { type: "object", properties: { inner: deep(depth - 1) } };
    const types: string[] = [];
    for (let fields = fieldsOf(deep(6)); fields[0] !== undefined;) {
      types.push(fields[0].type);
      fields = fields[0].type === "group" ? fields[0].fields : [];
    }
    expect(types).toEqual(["group", "group", "json"]);
    const either = { type: "object", properties: { either: { anyOf: [{}, {}] } } };
    expect(fieldsOf(either)[0]?.type).toBe("json");
  });

  it("takes names that mean something to JavaScript as names", () => {
    const schema = JSON.parse(
      '{"type":"object","required":["__proto__"],"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}',
    ) as Schema;
    const fields = fieldsOf(schema);
    const values = { '["__proto__"]': "a", '["constructor"]': "b" };
    expect(JSON.stringify(formArguments(fields, values).arguments)).toBe(
      '{"__proto__":"a","constructor":"b"}',
    );
  });

  it("shows arguments that were written as JSON, where it can show all of them", () => {
    const given = { city: "Berlin", guests: 2, room: 3, dates: { from: "a" }, tags: ["x"] };
    const fields = fieldsOf(BOOKING);
    const values = formValues(fields, given);
    expect(formArguments(fields, values ?? {})).toEqual({ arguments: given, problems: [] });
    for (const other of [
      { unknown: 1 },
      { city: 1 },
      { guests: 1.5 },
      { dates: {} },
      { dates: [] },
    ])
      expect(formValues(fields, other)).toBeUndefined();
  });

  it("and JSON say the same, whatever the arguments are", () => {
    const fields = fieldsOf(BOOKING);
    const optional = {
      note: fc.string(),
      budget: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      breakfast: fc.boolean(),
      room: fc.constantFrom("single", "double", 3),
      dates: fc.record({ from: fc.string(), to: fc.string() }, { requiredKeys: ["from"] }),
      tags: fc.array(fc.string()),
    };
    const given = fc.record(
      { city: fc.string(), guests: fc.integer(), ...optional },
      { requiredKeys: ["city", "guests"] },
    );
    fc.assert(
      fc.property(given, (args) => {
        const values = formValues(fields, args);
        const made = formArguments(fields, values ?? {});
        expect(made).toEqual({ arguments: { ...args }, problems: [] });
      }),
    );
  });

  it("has a key of its own for every field", () => {
    const schema: Schema = {
      type: "object",
      properties: {
        "a.b": { type: "string" },
        a: { type: "object", properties: { b: { type: "string" } } },
      },
    };
    const fields = fieldsOf(schema);
    const keys = fields.flatMap((field) =>
      field.type === "group" ? field.fields.map(keyOf) : [keyOf(field)],
    );
    expect(new Set(keys).size).toBe(2);
  });
});
