/**
 * Makes of schemas of an OpenAPI document what JSON Schema has for them. What they refer to is taken along under `$defs`, each once,
 * so that nothing is written out twice and a schema may refer to itself. Nothing but what is asked for is looked at.
 */
import { isType } from "../../promptpack/schema/value-keywords.ts";
import { MAX_JSON_DEPTH } from "../../promptpack/document/json-depth.ts";
import { MAX_OPERATION_SCHEMA_NODES } from "../server/limits.ts";
import { isObject, type JSONObject, listOf, type OpenApiDocument } from "./openapi-document.ts";

export interface SchemaDetail {
  /** References in each other that are followed. What is behind more of them may be anything. */
  readonly maxReferences: number;
  /** Whether only the form of values is told, and nothing that may be written wrongly. */
  readonly isPlain: boolean;
}

/** There are too many schemas within the schemas. */
export class TooManySchemasError extends Error {
  override readonly name = "TooManySchemasError";
}

const MAX_DESCRIPTION_CHARACTERS = 500;
/** They are told as they are, where values are judged. */
const CONSTRAINTS = [
  "multipleOf",
  "maximum",
  "minimum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "uniqueItems",
  "maxProperties",
  "minProperties",
  "dependentRequired",
] as const;
const SCHEMAS = ["additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"];
const LISTS_OF_SCHEMAS = ["allOf", "prefixItems"];
const MAPS_OF_SCHEMAS = ["patternProperties", "dependentSchemas"];
/** Without them a schema says nothing false, it only allows more. */
const ONLY_IN_DETAIL = new Set([
  "propertyNames",
  "contains",
  "not",
  "if",
  "then",
  "else",
  "prefixItems",
  "patternProperties",
  "dependentSchemas",
]);

interface Definition {
  readonly name: string;
  readonly schema: unknown;
  /** References that led to it. */
  readonly references: number;
}

export class SchemaConverter {
  readonly #document: OpenApiDocument;
  readonly #detail: SchemaDetail;
  readonly #definitions = new Map<string, Definition>();
  readonly #names = new Set<string>();
  readonly #pending: Definition[] = [];
  #nodes = 0;

  constructor(document: OpenApiDocument, detail: SchemaDetail) {
    this.#document = document;
    this.#detail = detail;
  }

  /** Throws an UnsupportedError, or a TooManySchemasError. */
  convert(schema: unknown): unknown {
    return this.#convert(schema, 0, 0);
  }

  /** The fields of an object and the names of those that must be there, without what only an answer has. */
  fieldsOf(schema: JSONObject): { properties: [string, unknown][]; required: string[] } {
    return this.#fields(schema, 0, 0);
  }

  /** What the schemas that were converted refer to, by their names in `$defs`. */
  definitions(): Record<string, unknown> | undefined {
    const made: [string, unknown][] = [];
    // The nearest come first, so that what is left out is what is furthest away.
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      made.push([next.name, this.#convert(next.schema, next.references, 0)]);
    }
    return made.length === 0 ? undefined : Object.fromEntries(made);
  }

  #convert(schema: unknown, references: number, depth: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > MAX_OPERATION_SCHEMA_NODES) throw new TooManySchemasError();
    if (schema === false) return false;
    if (!isObject(schema) || depth > MAX_JSON_DEPTH) return {};
    const { $ref } = schema;
    if (typeof $ref !== "string") return this.#own(schema, references, depth);
    const target = this.#refer($ref, references + 1);
    // OpenAPI 3.0 lets nothing stand beside a reference. What people write there all the same is told, and judges nothing.
    const { $ref: _ref, ...besides } = this.#document.is30
      ? { description: schema["description"], default: schema["default"] }
      : schema;
    const beside = this.#own(besides, references, depth);
    if (!this.#document.is30 || schema["nullable"] !== true) return { ...beside, ...target };
    return { ...beside, anyOf: [target, { type: "null" }] };
  }

  #refer($ref: string, references: number): JSONObject {
    const known = this.#definitions.get($ref);
    if (known !== undefined) return { $ref: `#/$defs/${known.name}` };
    const schema = this.#document.at($ref);
    if (references > this.#detail.maxReferences) return {};
    const name = this.#nameOf($ref);
    const definition = { name, schema, references };
    this.#definitions.set($ref, definition);
    this.#pending.push(definition);
    return { $ref: `#/$defs/${name}` };
  }

  #nameOf($ref: string): string {
    const last = $ref.slice($ref.lastIndexOf("/") + 1);
    const clean = last.replaceAll(/[^A-Za-z0-9_.-]+/g, "_") || "schema";
    let name = clean;
    for (let count = 2; this.#names.has(name); count += 1) name = `${clean}_${count}`;
    this.#names.add(name);
    return name;
  }

  #own(schema: JSONObject, references: number, depth: number): JSONObject {
    const inside = (part: unknown): unknown => this.#convert(part, references, depth + 1);
    const made = new Map<string, unknown>();
    const { description, default: preset } = schema;
    if (typeof description === "string" && description !== "") {
      made.set("description", shortened(description, MAX_DESCRIPTION_CHARACTERS));
    }
    if (preset !== undefined) made.set("default", preset);
    if (typeof schema["format"] === "string") made.set("format", schema["format"]);
    this.#addConstraints(made, schema);
    for (const keyword of SCHEMAS) {
      if (this.#has(schema, keyword)) made.set(keyword, inside(schema[keyword]));
    }
    for (const keyword of LISTS_OF_SCHEMAS) {
      const parts = this.#has(schema, keyword) ? listOf(schema[keyword]) : [];
      if (parts.length > 0) made.set(keyword, parts.map(inside));
    }
    for (const keyword of MAPS_OF_SCHEMAS) {
      if (!this.#has(schema, keyword) || !isObject(schema[keyword])) continue;
      const parts = Object.entries(schema[keyword]).map(([key, part]) => [key, inside(part)]);
      made.set(keyword, Object.fromEntries(parts));
    }
    const { items } = schema;
    if (Array.isArray(items)) made.set("items", (items as unknown[]).map(inside));
    else if (items !== undefined) made.set("items", inside(items));
    this.#addUnions(made, schema, inside);
    const { properties, required } = this.#fields(schema, references, depth);
    if (properties.length > 0) made.set("properties", Object.fromEntries(properties));
    if (required.length > 0) made.set("required", required);
    return this.#withNull(schema, Object.fromEntries(made));
  }

  #has(schema: JSONObject, keyword: string): boolean {
    return Object.hasOwn(schema, keyword) && !(this.#detail.isPlain && ONLY_IN_DETAIL.has(keyword));
  }

  #addConstraints(made: Map<string, unknown>, schema: JSONObject): void {
    const { type, enum: values } = schema;
    if (isType(type)) made.set("type", type);
    const types = listOf(type).filter(isType);
    if (types.length > 0) made.set("type", types);
    if (Array.isArray(values) && values.length > 0) made.set("enum", values);
    if (Object.hasOwn(schema, "const")) made.set("const", schema["const"]);
    if (this.#detail.isPlain) return;
    for (const keyword of CONSTRAINTS) {
      if (schema[keyword] !== undefined) made.set(keyword, schema[keyword]);
    }
    for (const [bound, exclusive] of [
      ["minimum", "exclusiveMinimum"],
      ["maximum", "exclusiveMaximum"],
    ] as const) {
      const written = schema[exclusive];
      if (typeof written !== "boolean") continue;
      made.delete(exclusive);
      if (!written || schema[bound] === undefined) continue;
      made.delete(bound);
      made.set(exclusive, schema[bound]);
    }
  }

  /** Values that fit more than one of `oneOf` are common, and servers take them. */
  #addUnions(
    made: Map<string, unknown>,
    schema: JSONObject,
    inside: (part: unknown) => unknown,
  ): void {
    const unions = [schema["anyOf"], schema["oneOf"]]
      .map(listOf)
      .filter((branches) => branches.length > 0)
      .map((branches) => ({ anyOf: branches.map(inside) }));
    const [first, second] = unions;
    if (first !== undefined) made.set("anyOf", first.anyOf);
    if (second !== undefined) made.set("allOf", [...listOf(made.get("allOf")), second]);
  }

  #fields(
    schema: JSONObject,
    references: number,
    depth: number,
  ): { properties: [string, unknown][]; required: string[] } {
    const written = isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
    const answered = new Set(
      written.filter(([, field]) => this.#isReadOnly(field)).map(([name]) => name),
    );
    const properties = written
      .filter(([name]) => !answered.has(name))
      .map<[string, unknown]>(([name, field]) => [
        name,
        this.#convert(field, references, depth + 1),
      ]);
    const required = listOf(schema["required"]).filter(
      (name): name is string => typeof name === "string" && !answered.has(name),
    );
    return { properties, required: [...new Set(required)] };
  }

  #isReadOnly(field: unknown): boolean {
    if (!isObject(field)) return false;
    if (field["readOnly"] === true) return true;
    return typeof field["$ref"] === "string" && this.#document.resolved(field)["readOnly"] === true;
  }

  /** `nullable` of OpenAPI 3.0, which many write in 3.1 too. */
  #withNull(schema: JSONObject, made: JSONObject): JSONObject {
    if (schema["nullable"] !== true) return made;
    const values = made["enum"];
    const withNull =
      Array.isArray(values) && !values.includes(null) ? { ...made, enum: [...values, null] } : made;
    const { type } = made;
    const isJudgedByParts = ["allOf", "anyOf", "const"].some((keyword) =>
      Object.hasOwn(made, keyword),
    );
    if (isJudgedByParts) {
      const { description, default: preset, ...rest } = withNull;
      return {
        ...(description === undefined ? {} : { description }),
        ...(preset === undefined ? {} : { default: preset }),
        anyOf: [rest, { type: "null" }],
      };
    }
    if (type === undefined) return withNull;
    const types = Array.isArray(type) ? (type as unknown[]) : [type];
    return { ...withNull, type: [...new Set([...types, "null"])] };
  }
}

/** The text with an ellipsis in place of what is beyond the limit. */
export function shortened(text: string, limit: number): string {
  const clean = text.toWellFormed();
  return clean.length > limit ? `${clean.slice(0, limit - 1).toWellFormed()}…` : clean;
}
