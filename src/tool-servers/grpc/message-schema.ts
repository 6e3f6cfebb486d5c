/**
 * The JSON Schema of a message in the canonical JSON of Protocol Buffers. It may allow more than the message does: what is made of
 * the arguments is checked again when the message is written.
 */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { MAX_SCHEMA_CHARACTERS } from "../../promptpack/schema/compile-schema.ts";
import { commentOf } from "./comments.ts";

export type JSONSchema = Readonly<Record<string, unknown>>;

/** The argument that stands for a message whose canonical JSON is no object, such as a Timestamp. */
export const VALUE_ARGUMENT = "value";
/** References to other messages are followed so far. When a schema is too large, they are followed less far. */
const DISTANCES = [32, 4, 2, 1, 0] as const;

/** Whether the canonical JSON of the message is an object. */
export function isObjectMessage({ typeName }: DescMessage): boolean {
  const wellKnown = WELL_KNOWN[typeName];
  return wellKnown === undefined || wellKnown["type"] === "object";
}

/** A JSON Schema of an object, with the messages that it needs under `$defs`. */
export function argumentsSchema(message: DescMessage): JSONSchema {
  let schema: JSONSchema = { type: "object" };
  for (const distance of DISTANCES) {
    schema = new SchemaMaker(distance).make(message);
    if (JSON.stringify(schema).length <= MAX_SCHEMA_CHARACTERS) return schema;
  }
  return { type: "object" };
}

class SchemaMaker {
  readonly #distance: number;
  /** Type name → a message that the last ones refer to. */
  readonly #wanted = new Map<string, DescMessage>();
  #root: DescMessage | undefined;

  constructor(distance: number) {
    this.#distance = distance;
  }

  make(root: DescMessage): JSONSchema {
    if (isObjectMessage(root)) this.#root = root;
    let level: DescMessage[] = [root];
    const made = new Map<string, JSONSchema>();
    for (let distance = 0; level.length > 0; distance += 1) {
      const isLast = distance >= this.#distance;
      this.#wanted.clear();
      for (const message of level) made.set(message.typeName, this.#message(message, isLast));
      level = [...this.#wanted.values()].filter(({ typeName }) => !made.has(typeName));
    }
    const own = made.get(root.typeName) ?? {};
    made.delete(root.typeName);
    if (!isObjectMessage(root)) {
      return { type: "object", properties: { [VALUE_ARGUMENT]: own }, required: [VALUE_ARGUMENT] };
    }
    return made.size === 0 ? own : { ...own, $defs: Object.fromEntries(made) };
  }

  #message(message: DescMessage, isLast: boolean): JSONSchema {
    const wellKnown = WELL_KNOWN[message.typeName];
    if (wellKnown !== undefined) return wellKnown;
    const properties: [string, JSONSchema][] = [];
    const required: string[] = [];
    for (const field of message.fields) {
      properties.push([field.jsonName, this.#field(field, isLast)]);
      if (field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED)
        required.push(field.jsonName);
    }
    return {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.length === 0 ? {} : { required }),
    };
  }

  #field(field: DescField, isLast: boolean): JSONSchema {
    const schema = this.#value(field, isLast);
    const { description } = schema;
    const told = [commentOf(field), description, onlyOneOf(field)].filter(
      (each) => typeof each === "string" && each !== "",
    );
    return told.length === 0 ? schema : { ...schema, description: told.join(" ") };
  }

  #value(field: DescField, isLast: boolean): JSONSchema {
    switch (field.fieldKind) {
      case "list":
        return { type: "array", items: this.#single(field, isLast) };
      case "map": {
        const keys = MAP_KEYS[field.mapKey];
        const additionalProperties = this.#single(field, isLast);
        return { type: "object", additionalProperties, ...(keys && { description: keys }) };
      }
      case "scalar":
      case "enum":
      case "message":
        return this.#single(field, isLast);
    }
  }

  #single({ scalar, enum: enumeration, message }: DescField, isLast: boolean): JSONSchema {
    if (scalar !== undefined) return SCALARS[scalar];
    if (enumeration !== undefined) return enumSchema(enumeration);
    if (message === undefined) return {};
    const wellKnown = WELL_KNOWN[message.typeName];
    if (wellKnown !== undefined) return wellKnown;
    if (isLast) return { type: "object" };
    if (message.typeName === this.#root?.typeName) return { $ref: "#" };
    this.#wanted.set(message.typeName, message);
    return { $ref: `#/$defs/${message.typeName}` };
  }
}

function enumSchema({ typeName, values }: DescEnum): JSONSchema {
  if (typeName === "google.protobuf.NullValue") return { type: "null" };
  return { type: "string", enum: [...new Set(values.map(({ jsonName }) => jsonName))] };
}

/** Providers refuse `oneOf` in many places, so a sentence says it. A group of one field has nothing to say. */
function onlyOneOf({ oneof }: DescField): string | undefined {
  if (oneof === undefined || oneof.fields.length < 2) return undefined;
  return `Give only one of ${oneof.fields.map(({ jsonName }) => jsonName).join(", ")}.`;
}

const whole = (minimum: number, maximum: number): JSONSchema => ({
  type: "integer",
  minimum,
  maximum,
});
const INT32 = whole(-(2 ** 31), 2 ** 31 - 1);
const UINT32 = whole(0, 2 ** 32 - 1);
/** A number is taken as far as JSON keeps it whole. */
const long = (minimum: number, pattern: string): JSONSchema => ({
  type: ["string", "integer"],
  pattern,
  minimum,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "An integer of 64 bits, written as a string.",
});
const INT64 = long(Number.MIN_SAFE_INTEGER, "^-?[0-9]{1,19}$");
const UINT64 = long(0, "^[0-9]{1,20}$");
const NUMBER: JSONSchema = { type: "number" };
const TEXT: JSONSchema = { type: "string" };
const BOOLEAN: JSONSchema = { type: "boolean" };
const BYTES: JSONSchema = { type: "string", description: "Bytes, as base64." };

const SCALARS: Readonly<Record<ScalarType, JSONSchema>> = {
  [ScalarType.DOUBLE]: NUMBER,
  [ScalarType.FLOAT]: NUMBER,
  [ScalarType.INT64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.INT32]: INT32,
  [ScalarType.FIXED64]: UINT64,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.BOOL]: BOOLEAN,
  [ScalarType.STRING]: TEXT,
  [ScalarType.BYTES]: BYTES,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SINT64]: INT64,
};

const MAP_KEYS: Readonly<Partial<Record<ScalarType, string>>> = {
  [ScalarType.BOOL]: "The keys are true and false.",
  ...Object.fromEntries(
    [
      ScalarType.INT32,
      ScalarType.INT64,
      ScalarType.UINT32,
      ScalarType.UINT64,
      ScalarType.SINT32,
      ScalarType.SINT64,
      ScalarType.FIXED32,
      ScalarType.FIXED64,
      ScalarType.SFIXED32,
      ScalarType.SFIXED64,
    ].map((type) => [type, "The keys are integers."]),
  ),
};

/** The messages that have a form of their own in JSON. */
const WELL_KNOWN: Readonly<Record<string, JSONSchema | undefined>> = {
  "google.protobuf.Timestamp": {
    type: "string",
    format: "date-time",
    description: "A time as in RFC 3339, such as 2026-01-31T12:00:00Z.",
  },
  "google.protobuf.Duration": {
    type: "string",
    pattern: "^-?[0-9]+([.][0-9]{1,9})?s$",
    description: "Seconds with an s behind them, such as 1.5s.",
  },
  "google.protobuf.FieldMask": {
    type: "string",
    description: "Names of fields with commas between them, such as name,address.city.",
  },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string" } },
    description:
      'A message with the name of its type, such as type.googleapis.com/shop.Order, in "@type".',
  },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array", items: {} },
  "google.protobuf.Empty": { type: "object" },
  "google.protobuf.DoubleValue": NUMBER,
  "google.protobuf.FloatValue": NUMBER,
  "google.protobuf.Int64Value": INT64,
  "google.protobuf.UInt64Value": UINT64,
  "google.protobuf.Int32Value": INT32,
  "google.protobuf.UInt32Value": UINT32,
  "google.protobuf.BoolValue": BOOLEAN,
  "google.protobuf.StringValue": TEXT,
  "google.protobuf.BytesValue": BYTES,
};
