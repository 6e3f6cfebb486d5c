/** Reads a JSON Schema (draft 7 to 2020-12, and `nullable` of OpenAPI 3.0) into a graph of nodes. */
import { type FieldPath, formatPath } from "../../api/fields/problems.ts";
import type { Patterns } from "../patterns/patterns.ts";
import type { WorkBudget } from "../patterns/work-budget.ts";
import * as arrays from "./array-keywords.ts";
import { inPlaceDepth } from "./in-place-depth.ts";
import * as inPlace from "./in-place-keywords.ts";
import * as numbers from "./number-keywords.ts";
import * as objects from "./object-keywords.ts";
import {
  isObject,
  type JSONObject,
  type KeywordContext,
  type KeywordReader,
  type SchemaNode,
} from "./schema-node.ts";
import { References } from "./references.ts";
import * as strings from "./string-keywords.ts";
import { NEVER, readConst, readEnum, readType } from "./value-keywords.ts";

/** The schema is refused. The message begins with the place in it. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** Schemas that judge the same value, one behind the other. */
const MAX_IN_PLACE_DEPTH = 64;
const NODE_STEPS = 150;
const KEYWORD_STEPS = 50;
const VALUE_STEPS = 2;

/** In the order in which problems are told; keywords that are not here ask for nothing. */
const KEYWORDS: Readonly<Record<string, KeywordReader>> = {
  type: readType,
  maximum: numbers.readMaximum,
  minimum: numbers.readMinimum,
  exclusiveMaximum: numbers.readExclusiveMaximum,
  exclusiveMinimum: numbers.readExclusiveMinimum,
  multipleOf: numbers.readMultipleOf,
  maxLength: strings.readMaxLength,
  minLength: strings.readMinLength,
  pattern: strings.readPattern,
  $ref: inPlace.readReference,
  // A schema that is one document has one meaning for them: that of $ref.
  $dynamicRef: inPlace.readReference,
  $recursiveRef: inPlace.readReference,
  const: readConst,
  enum: readEnum,
  not: inPlace.readNot,
  anyOf: inPlace.readAnyOf,
  oneOf: inPlace.readOneOf,
  allOf: inPlace.readAllOf,
  if: inPlace.readIf,
  maxItems: arrays.readMaxItems,
  minItems: arrays.readMinItems,
  uniqueItems: arrays.readUniqueItems,
  additionalItems: arrays.readAdditionalItems,
  prefixItems: arrays.readPrefixItems,
  items: arrays.readItems,
  contains: arrays.readContains,
  maxProperties: objects.readMaxProperties,
  minProperties: objects.readMinProperties,
  required: objects.readRequired,
  dependentRequired: objects.readDependentRequired,
  propertyNames: objects.readPropertyNames,
  additionalProperties: objects.readAdditionalProperties,
  dependencies: objects.readOldDependencies,
  properties: objects.readProperties,
  patternProperties: objects.readPatternProperties,
  dependentSchemas: objects.readDependentSchemas,
  // They ask what the others have judged.
  unevaluatedItems: arrays.readUnevaluatedItems,
  unevaluatedProperties: objects.readUnevaluatedProperties,
};

const RANKS = new Map(Object.keys(KEYWORDS).map((keyword, rank) => [keyword, rank]));

interface Pending {
  readonly schema: unknown;
  readonly place: FieldPath;
  readonly node: SchemaNode;
  /** In a schema with an address of its own, where `#` means another root. */
  readonly isEmbedded: boolean;
}

/** Throws a SchemaError. */
export function readSchema(root: JSONObject, patterns: Patterns, budget: WorkBudget): SchemaNode {
  // Of each object once, so that a schema may refer to itself, and without recursion.
  const nodes = new Map<unknown, SchemaNode>();
  const pending: Pending[] = [];
  const references = new References(root);
  const first = nodeOf(root, [], false);
  // Reading one may add others behind it.
  for (const next of pending) read(next);
  const depth = inPlaceDepth(nodes.values());
  if (depth === Infinity) throw new SchemaError("it refers to itself without end");
  if (depth > MAX_IN_PLACE_DEPTH) {
    throw new SchemaError(`it leads through more than ${MAX_IN_PLACE_DEPTH} references`);
  }
  return first;

  function nodeOf(schema: unknown, place: FieldPath, isEmbedded: boolean): SchemaNode {
    const known = nodes.get(schema);
    if (known !== undefined) return known;
    const node: SchemaNode = { assertions: [], inPlace: [], collects: false };
    pending.push({ schema, place, node, isEmbedded });
    if (typeof schema === "object") nodes.set(schema, node);
    return node;
  }

  function read({ schema, place, node, isEmbedded }: Pending): void {
    take(NODE_STEPS, place);
    if (schema === true) return;
    if (schema === false) {
      node.assertions.push(NEVER);
      return;
    }
    if (!isObject(schema)) throw refusal(place, "must be a schema: a mapping, true or false");
    const keywords = keywordsOf(schema);
    if (keywords.length === 0) return;
    const { $id } = schema;
    const isRoot = schema === root;
    const embedded = isEmbedded || (!isRoot && typeof $id === "string" && !$id.startsWith("#"));
    const refuse = (message: string, ...at: FieldPath): never => {
      throw refusal([...place, ...at], message);
    };
    const nodeAt = (value: unknown, ...at: FieldPath): SchemaNode =>
      nodeOf(value, [...place, ...at], embedded);
    const judging = (other: SchemaNode): SchemaNode => {
      node.inPlace.push(other);
      return other;
    };
    const context: KeywordContext = {
      schema,
      patterns,
      budget,
      nodeAt,
      inPlaceAt: (value, ...at) => judging(nodeAt(value, ...at)),
      referred(reference) {
        if (embedded) {
          refuse("stands in a schema with an $id of its own; remove that $id", "$ref");
        }
        const found = references.resolve(reference);
        if (!found.ok) return refuse(`${JSON.stringify(reference)} ${found.problem}`, "$ref");
        return judging(nodeOf(found.schema, found.place, false));
      },
      refuse,
    };
    for (const keyword of keywords) {
      const written = schema[keyword];
      take(KEYWORD_STEPS + VALUE_STEPS * sizeOf(written), place);
      const assertion = KEYWORDS[keyword]?.(written, context);
      if (assertion !== undefined) node.assertions.push(assertion);
    }
    node.collects =
      Object.hasOwn(schema, "unevaluatedItems") || Object.hasOwn(schema, "unevaluatedProperties");
  }

  function take(steps: number, place: FieldPath): void {
    if (budget.take(steps)) return;
    throw refusal(place, "is where the schema gets too large, together with what is beside it");
  }
}

function keywordsOf(schema: JSONObject): string[] {
  const rank = (keyword: string): number => RANKS.get(keyword) ?? 0;
  return Object.keys(schema)
    .filter((keyword) => RANKS.has(keyword))
    .toSorted((a, b) => rank(a) - rank(b));
}

function sizeOf(value: unknown): number {
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

function refusal(place: FieldPath, message: string): SchemaError {
  return new SchemaError(place.length === 0 ? `it ${message}` : `${formatPath(place)} ${message}`);
}
