/** Makes of one operation of a document a tool, and the plan of its request. */
import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import type { Schemas } from "../../promptpack/schema/compile-schema.ts";
import { MAX_OPERATION_SCHEMA_CHARACTERS } from "../server/limits.ts";
import {
  type SchemaDetail,
  SchemaConverter,
  shortened,
  TooManySchemasError,
} from "./convert-schema.ts";
import {
  isObject,
  type JSONObject,
  type OpenApiDocument,
  shown,
  UnsupportedError,
} from "./openapi-document.ts";
import { readParameters, type ReadParameter } from "./operation-parameters.ts";
import { isFileType, type RequestBody, requestBody } from "./request-body.ts";
import { serverURL, type ServerRule } from "./server-url.ts";

/** An operation as its document has it. */
export interface FoundOperation {
  /** Every provider takes it as the name of a tool, and no other operation of the document has it. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly pathItem: JSONObject;
  readonly operation: JSONObject;
}

const METHODS: readonly OpenApiOperation["method"][] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const MAX_DESCRIPTION_CHARACTERS = 1_024;
const MAX_ARGUMENT_DESCRIPTION_CHARACTERS = 500;
/** The first with which the schema is small enough and can be used is taken. */
const DETAILS: readonly SchemaDetail[] = [
  { maxReferences: Infinity, isPlain: false },
  { maxReferences: 3, isPlain: false },
  { maxReferences: Infinity, isPlain: true },
  { maxReferences: 3, isPlain: true },
  { maxReferences: 1, isPlain: true },
  { maxReferences: 0, isPlain: true },
];

/** Throws an UnsupportedError. */
export function convertOperation(
  document: OpenApiDocument,
  found: FoundOperation,
  rule: ServerRule,
  schemas: Schemas,
): OpenApiOperation {
  const { name, path, pathItem, operation } = found;
  const method = METHODS.find((each) => each === found.method);
  if (method === undefined) {
    throw new UnsupportedError(`its method is ${found.method}, whose answer says nothing`);
  }
  if (!path.startsWith("/") || /[?#{}]/.test(path.replaceAll(/\{[^{}/]+\}/g, ""))) {
    throw new UnsupportedError(`its path ${shown(path)} is no path of a URL`);
  }
  const answers = answerTypes(document, operation);
  if (answers.length > 0 && answers.every(isFileType)) {
    throw new UnsupportedError(`its answer is a file (${answers.map(shown).join(", ")})`);
  }
  // OpenAPI 3.0 lets a GET have no body. It says so of DELETE too, and many servers want one all the same.
  const isBodiless = document.is30 && method === "GET";
  const body = isBodiless ? undefined : requestBody(document, operation["requestBody"]);
  const parameters = readParameters(
    document,
    path,
    [operation["parameters"], pathItem["parameters"]],
    bodyArguments(body),
  );
  const server = serverURL([operation, pathItem, document.root], rule);
  const answersHTML = answers.some((type) => /^text\/(html|\*)|^\*\/\*/i.test(type));
  return {
    name,
    description: descriptionOf(found),
    inputSchema: schemaOf(document, parameters, body, schemas),
    method,
    url: server + path,
    parameters: parameters.map(({ plan }) => plan),
    ...(body === undefined ? {} : { body: body.plan }),
    ...(answersHTML ? { answersHTML } : {}),
  };
}

/** The content types of the answers that are no errors. */
function answerTypes(document: OpenApiDocument, operation: JSONObject): string[] {
  const { responses } = operation;
  if (!isObject(responses)) return [];
  return Object.entries(responses)
    .filter(([status]) => /^(2|default$)/.test(status))
    .flatMap(([, response]) => {
      const { content } = document.resolvedIfThere(response);
      return isObject(content) ? Object.keys(content) : [];
    });
}

function bodyArguments(body: RequestBody | undefined): ReadonlySet<string> {
  if (body === undefined) return new Set();
  if (body.plan.argument !== undefined) return new Set([body.plan.argument]);
  const names = (body.fields ?? []).flatMap(({ properties }) =>
    isObject(properties) ? Object.keys(properties) : [],
  );
  return new Set(names);
}

function descriptionOf({ operation, pathItem, method, path }: FoundOperation): string {
  const texts = [operation["summary"], operation["description"], pathItem["description"]]
    .filter((text): text is string => typeof text === "string" && text.trim() !== "")
    .map((text) => text.trim());
  const [first = `${method} ${path}`, second = ""] = texts;
  const own = second === "" || second.startsWith(first) ? second || first : `${first}\n${second}`;
  const notice = operation["deprecated"] === true ? "Deprecated. " : "";
  return shortened(notice + own, MAX_DESCRIPTION_CHARACTERS);
}

function schemaOf(
  document: OpenApiDocument,
  parameters: readonly ReadParameter[],
  body: RequestBody | undefined,
  schemas: Schemas,
): JSONObject {
  let problem = "it is too large";
  for (const detail of DETAILS) {
    try {
      const schema = argumentsSchema(new SchemaConverter(document, detail), parameters, body);
      const compiled = schemas.compile(schema);
      if (!compiled.ok) ({ problem } = compiled);
      else if (JSON.stringify(schema).length <= MAX_OPERATION_SCHEMA_CHARACTERS) return schema;
    } catch (error) {
      if (!(error instanceof TooManySchemasError)) throw error;
    }
  }
  throw new UnsupportedError(`the schema of its arguments cannot be used: ${problem}`);
}

function argumentsSchema(
  converter: SchemaConverter,
  parameters: readonly ReadParameter[],
  body: RequestBody | undefined,
): JSONObject {
  const properties: [string, unknown][] = [];
  const required: string[] = [];
  for (const { argument, schema, description, isRequired } of parameters) {
    properties.push([argument, described(converter.convert(schema), description)]);
    if (isRequired) required.push(argument);
  }
  const argument = body?.plan.argument;
  if (body !== undefined && argument !== undefined) {
    properties.push([argument, described(converter.convert(body.schema), body.description)]);
    if (body.plan.required) required.push(argument);
  }
  for (const part of body?.fields ?? []) {
    const fields = converter.fieldsOf(part);
    properties.push(...fields.properties);
    required.push(...fields.required);
  }
  const isOpen =
    body?.fields !== undefined &&
    !body.fields.some(({ additionalProperties }) => additionalProperties === false);
  const known = new Set(properties.map(([name]) => name));
  const definitions = converter.definitions();
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length === 0
      ? {}
      : { required: [...new Set(required)].filter((name) => known.has(name)) }),
    ...(isOpen ? {} : { additionalProperties: false }),
    ...(definitions === undefined ? {} : { $defs: definitions }),
  };
}

/** What is said of a parameter is about it, and goes before what is said of its schema. */
function described(schema: unknown, description: unknown): unknown {
  if (typeof description !== "string" || description === "" || !isObject(schema)) return schema;
  return { ...schema, description: shortened(description, MAX_ARGUMENT_DESCRIPTION_CHARACTERS) };
}
