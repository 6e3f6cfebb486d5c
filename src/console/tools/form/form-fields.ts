/**
 * The fields of a form, from the JSON Schema of a tool. What a form cannot say is a field of JSON, so that every schema has one: a tool is never out of
 * reach because its schema is unusual.
 */

export type Schema = Readonly<Record<string, unknown>>;

interface FieldFacts {
  readonly name: string;
  /** The names from the arguments to this field. */
  readonly path: readonly string[];
  readonly description: string | undefined;
  readonly isRequired: boolean;
}

export type Field = FieldFacts &
  (
    | { readonly type: "text"; readonly isLong: boolean }
    | { readonly type: "number"; readonly isInteger: boolean }
    | { readonly type: "boolean" }
    | { readonly type: "choice"; readonly options: readonly (string | number)[] }
    | { readonly type: "group"; readonly fields: readonly Field[] }
    | { readonly type: "json"; readonly schema: Schema }
  );

/** Groups in groups beyond this depth are fields of JSON. */
const MAX_DEPTH = 3;
/** A form of more fields than this is one field of JSON. */
const MAX_FIELDS = 100;
const LONG_TEXT = 200;

/** Returns undefined where the schema is not of an object with named fields: then the arguments are written as JSON. */
export function formFields(schema: Schema): readonly Field[] | undefined {
  const fields = fieldsOf(schema, [], 0);
  if (fields === undefined || countOf(fields) > MAX_FIELDS) return undefined;
  return fields;
}

function fieldsOf(
  schema: Schema,
  path: readonly string[],
  depth: number,
): readonly Field[] | undefined {
  const { properties } = schema;
  if (!isRecord(properties)) return typeOf(schema) === "object" ? [] : undefined;
  // What is said beside the properties may forbid what a form would allow.
  if (["$ref", "allOf", "anyOf", "oneOf", "not", "if"].some((key) => key in schema))
    return undefined;
  const required = Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : [];
  const fields = Object.entries(properties).map(([name, property]) =>
    fieldOf(isRecord(property) ? property : {}, {
      name,
      path: [...path, name],
      isRequired: required.includes(name),
      depth,
    }),
  );
  // What has to be given comes first.
  return fields.toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
}

function fieldOf(
  schema: Schema,
  {
    depth,
    ...place
  }: { name: string; path: readonly string[]; isRequired: boolean; depth: number },
): Field {
  const text = schema["description"] ?? schema["title"];
  const facts = { ...place, description: typeof text === "string" ? text : undefined };
  const options = schema["enum"];
  if (Array.isArray(options) && options.length > 0 && options.every(isOption))
    return { ...facts, type: "choice", options };
  switch (typeOf(schema) ?? "") {
    case "string": {
      const { maxLength } = schema;
      const isLong = typeof maxLength === "number" && maxLength > LONG_TEXT;
      return { ...facts, type: "text", isLong };
    }
    case "number":
      return { ...facts, type: "number", isInteger: false };
    case "integer":
      return { ...facts, type: "number", isInteger: true };
    case "boolean":
      return { ...facts, type: "boolean" };
    case "object": {
      const fields = depth + 1 < MAX_DEPTH ? fieldsOf(schema, facts.path, depth + 1) : undefined;
      if (fields !== undefined && fields.length > 0) return { ...facts, type: "group", fields };
      return { ...facts, type: "json", schema };
    }
    default:
      return { ...facts, type: "json", schema };
  }
}

/** The one type of a schema. `null` beside it is what leaving the field out says. */
function typeOf({ type }: Schema): string | undefined {
  if (typeof type === "string") return type;
  if (!Array.isArray(type)) return undefined;
  const others = type.filter((one) => one !== "null");
  return others.length === 1 ? String(others[0]) : undefined;
}

function countOf(fields: readonly Field[]): number {
  return fields.reduce(
    (sum, field) => sum + (field.type === "group" ? countOf(field.fields) : 1),
    0,
  );
}

function isOption(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
