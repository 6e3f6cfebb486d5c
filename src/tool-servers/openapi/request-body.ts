/** Chooses the form in which the body of an operation is sent, and how its schema becomes arguments. */
import type { OperationBody, ParameterStyle } from "../../agent-config/openapi-operation.ts";
import {
  isObject,
  type JSONObject,
  listOf,
  type OpenApiDocument,
  ownValue,
  shown,
  UnsupportedError,
} from "./openapi-document.ts";
import { readStyle } from "./parameter-style.ts";

export interface RequestBody {
  readonly plan: OperationBody;
  /** The fields that become arguments, where the body is a plain object. */
  readonly fields: readonly JSONObject[] | undefined;
  readonly schema: unknown;
  readonly description: unknown;
}

const MAX_FILE_SEARCH = 200;
const MAX_PARTS = 32;
const BODY_ARGUMENT = "body";

/** `undefined`: the operation takes none. Throws an UnsupportedError. */
export function requestBody(document: OpenApiDocument, written: unknown): RequestBody | undefined {
  if (!isObject(written)) return undefined;
  const body = document.resolved(written);
  const content = isObject(body["content"]) ? Object.entries(body["content"]) : [];
  if (content.length === 0) return undefined;
  const chosen = choose(content);
  if (chosen === undefined) {
    const types = content.map(([type]) => shown(type)).join(", ");
    const isFile = content.some(([type]) => isFileType(type));
    throw new UnsupportedError(
      isFile
        ? `its body is a file (${types}); files cannot be sent`
        : `its body is ${types}, which cannot be sent`,
    );
  }
  const { type, mediaType, media } = chosen;
  const schema = media["schema"];
  if (type !== "json" && hasFile(document, schema)) {
    throw new UnsupportedError(`it takes a file (${shown(mediaType)}); files cannot be sent`);
  }
  const fields = type === "text" ? undefined : plainObject(document, schema);
  if (type !== "json" && type !== "text" && fields === undefined) {
    throw new UnsupportedError("the form that it takes is no plain object");
  }
  const encoding = type === "json" ? [] : encodings(media["encoding"]);
  return {
    plan: {
      type,
      mediaType,
      required: body["required"] === true,
      ...(fields === undefined ? { argument: BODY_ARGUMENT } : {}),
      ...(encoding.length === 0 ? {} : { encoding: Object.fromEntries(encoding) }),
    },
    fields,
    schema,
    description: body["description"],
  };
}

/** What is sent best comes first. */
const FORMS: readonly { type: OperationBody["type"]; form: RegExp }[] = [
  { type: "json", form: /^application\/json\s*(;|$)/i },
  { type: "json", form: /^[\w.-]+\/[\w.+-]*\bjson\s*(;|$)/i },
  { type: "form", form: /^application\/x-www-form-urlencoded\s*(;|$)/i },
  { type: "multipart", form: /^multipart\/form-data\s*(;|$)/i },
  { type: "json", form: /^(\*|application)\/\*$/i },
  { type: "text", form: /^text\/(plain|markdown|\*)\s*(;|$)/i },
];

function choose(
  content: readonly [string, unknown][],
): { type: OperationBody["type"]; mediaType: string; media: JSONObject } | undefined {
  for (const { type, form } of FORMS) {
    for (const [mediaType, media] of content) {
      if (!form.test(mediaType) || !/^[\t -~]+$/.test(mediaType)) continue;
      const isRange = mediaType.includes("*");
      const exact = isRange ? (type === "json" ? "application/json" : "text/plain") : mediaType;
      return { type, mediaType: exact, media: isObject(media) ? media : {} };
    }
  }
  return undefined;
}

/** Whether a body or an answer of this type is nothing that a model writes or reads. */
export function isFileType(mediaType: string): boolean {
  return /^(image|audio|video|font)\/|^application\/(octet-stream|pdf|zip|gzip|x-tar|x-gzip|vnd\.openxmlformats[\w.-]*|vnd\.ms-[\w.-]*)\s*(;|$)/i.test(
    mediaType,
  );
}

/** OpenAPI 3.0 marks a file by its format, 3.1 by its content type. */
function hasFile(document: OpenApiDocument, schema: unknown): boolean {
  const seen = new Set<unknown>();
  const left: unknown[] = [schema];
  for (let looked = 0; left.length > 0 && looked < MAX_FILE_SEARCH; looked += 1) {
    const found = left.shift();
    if (!isObject(found) || seen.has(found)) continue;
    seen.add(found);
    const { format, contentMediaType, contentEncoding, type } = found;
    if (format === "binary" || type === "file") return true;
    if (typeof contentMediaType === "string" && contentEncoding === undefined) {
      if (!/json|^text\//i.test(contentMediaType)) return true;
    }
    if (typeof found["$ref"] === "string") left.push(document.at(found["$ref"]));
    if (isObject(found["properties"])) left.push(...Object.values(found["properties"]));
    left.push(found["items"]);
    for (const union of ["allOf", "anyOf", "oneOf"]) left.push(...listOf(found[union]));
  }
  return false;
}

/**
 * The schemas whose fields together are those of the body, with references followed. `undefined` where it is no object with fields
 * that are known, such as a list, a map, or one of several forms.
 */
function plainObject(document: OpenApiDocument, schema: unknown): JSONObject[] | undefined {
  const parts: JSONObject[] = [];
  const left: unknown[] = [schema];
  for (let followed = 0; left.length > 0; followed += 1) {
    if (followed > MAX_PARTS) return undefined;
    const found = document.resolved(left.shift());
    if (isJudgedWhole(document, found)) return undefined;
    parts.push(found);
    left.push(...listOf(found["allOf"]));
  }
  const hasFields = parts.some(
    ({ properties }) => isObject(properties) && Object.keys(properties).length > 0,
  );
  return hasFields ? parts : undefined;
}

/** Whether there is more to it than its own fields. */
function isJudgedWhole(document: OpenApiDocument, schema: JSONObject): boolean {
  const { type = "object", nullable, additionalProperties } = schema;
  const types = Array.isArray(type) ? (type as unknown[]) : [type];
  if (types.length !== 1 || types[0] !== "object" || nullable === true) return true;
  if (isObject(additionalProperties) && Object.keys(additionalProperties).length > 0) return true;
  if (
    ["not", "if", "patternProperties", "enum", "const"].some((each) => Object.hasOwn(schema, each))
  ) {
    return true;
  }
  const branches = ["anyOf", "oneOf"].flatMap((union) => listOf(schema[union]));
  return branches.some((branch) => !isChoiceOfFields(document.resolved(branch)));
}

/** Such a branch only says which fields go together. The server judges that. */
function isChoiceOfFields(branch: JSONObject): boolean {
  return Object.keys(branch).every((keyword) =>
    ["required", "description", "title"].includes(keyword),
  );
}

function encodings(written: unknown): [string, { style: ParameterStyle; explode: boolean }][] {
  if (!isObject(written)) return [];
  return Object.keys(written).flatMap((name) => {
    const field = ownValue(written, name);
    if (!isObject(field)) return [];
    if (typeof field["contentType"] === "string" && /json/i.test(field["contentType"])) {
      return [[name, { style: "json", explode: false }]];
    }
    if (field["style"] === undefined && field["explode"] === undefined) return [];
    return [[name, readStyle(field, "query")]];
  });
}
