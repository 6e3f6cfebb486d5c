/** Turns a zod schema into the structural OpenAPI schema that a CustomResourceDefinition takes. */
import { z } from "zod";

export interface StructuralSchema {
  description?: string;
  type?: string;
  default?: unknown;
  format?: string;
  pattern?: string;
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema;
  required?: string[];
  items?: StructuralSchema;
  [keyword: string]: unknown;
}

/** Throws for what a structural schema cannot express: cycles, transforms, and unions but those of a word and an object. */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const generated = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    // Users may leave out fields that have a default.
    io: "input",
    reused: "inline",
    cycles: "throw",
  });
  return convert(generated as StructuralSchema);
}

function convert(schema: StructuralSchema): StructuralSchema {
  const { description, properties, additionalProperties, items, ...others } = schema;
  const { type, pattern, format, maximum, ...rest } = others;
  const converted: StructuralSchema = {};
  if (description !== undefined) converted.description = description;
  if (rest["x-kubernetes-int-or-string"] === true) {
    // The extension already says what the two branches say.
    delete rest["anyOf"];
  } else if (rest["x-kubernetes-preserve-unknown-fields"] === true && isUnion(rest["anyOf"])) {
    Object.assign(rest, wordOrObject(rest["anyOf"]));
    delete rest["anyOf"];
  } else if (rest["anyOf"] !== undefined || type === undefined) {
    throw new Error(`no structural schema for ${JSON.stringify(schema)}`);
  } else {
    converted.type = type;
  }
  if (format !== undefined) converted.format = format;
  // zod writes a pattern beside the format "date-time", which says the same.
  if (pattern !== undefined && format !== "date-time") {
    converted.pattern = pattern.replaceAll(String.raw`\/`, "/");
  }
  // zod gives every integer this bound, which says nothing.
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER) converted["maximum"] = maximum;
  delete rest["propertyNames"];
  delete rest["$schema"];
  Object.assign(converted, rest);
  if (properties !== undefined) {
    converted.properties = mapValues(properties, convert);
  } else if (isSchema(additionalProperties)) {
    converted.additionalProperties = convert(additionalProperties);
  }
  if (items !== undefined) converted.items = convert(items);
  return converted;
}

type Union = [word: StructuralSchema & { enum: string[] }, object: StructuralSchema];

function isUnion(anyOf: unknown): anyOf is Union {
  return Array.isArray(anyOf) && anyOf.length === 2 && Array.isArray(anyOf[0]?.enum);
}

/**
 * A structural schema has no unions, and CEL reads no value without a type. So the field takes anything, and what is said of each type
 * leaves one of the words, or an object with the fields.
 */
function wordOrObject([word, { properties = {}, required = [] }]: Union): StructuralSchema {
  return {
    pattern: `^(${word.enum.join("|")})$`,
    properties: mapValues(properties, convert),
    required,
    maxProperties: Object.keys(properties).length,
    maxItems: 0,
    minimum: 1,
    maximum: 0,
    not: { enum: [true, false, []] },
  };
}

/** In this place zod also writes `false` for closed objects and `{}` for open ones, which Kubernetes tells apart by pruning. */
function isSchema(given: unknown): given is StructuralSchema {
  return typeof given === "object" && given !== null && Object.keys(given).length > 0;
}

function mapValues<From, To>(
  record: Record<string, From>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
