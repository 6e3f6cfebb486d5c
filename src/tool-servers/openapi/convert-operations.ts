/** Makes tools of the operations of an OpenAPI document. Only those that are allowed are converted: a document may have thousands. */
import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import { WorkBudget } from "../../promptpack/patterns/work-budget.ts";
import { Schemas } from "../../promptpack/schema/compile-schema.ts";
import { MAX_OPENAPI_OPERATIONS } from "../server/limits.ts";
import type { UnsupportedTool } from "../server/read-list.ts";
import { convertOperation, type FoundOperation } from "./convert-operation.ts";
import {
  isObject,
  type JSONObject,
  OpenApiDocument,
  ownValue,
  UnsupportedError,
} from "./openapi-document.ts";
import type { ServerRule } from "./server-url.ts";
import { MAX_NAME_CHARACTERS, operationToolName } from "./tool-name.ts";

export interface ConvertOptions extends ServerRule {
  /** The names as tools of the operations that are converted. All if unset. */
  readonly allow?: readonly string[] | undefined;
}

export interface ConvertedOperations {
  readonly tools: readonly OpenApiOperation[];
  /** Those that are allowed and cannot be offered. */
  readonly unsupported: readonly UnsupportedTool[];
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];
/** For the schemas of all operations of one document. */
const MAX_DOCUMENT_STEPS = 20_000_000;
const MAX_EXAMPLES = 5;
const NUMBER = new Intl.NumberFormat("en-US");

/** In the order of the document. Throws an UnsupportedError when nothing of it can be offered. */
export function convertOperations(root: unknown, options: ConvertOptions): ConvertedOperations {
  const document = new OpenApiDocument(root);
  const { found, unread } = findOperations(document);
  if (found.length === 0 && unread.length === 0)
    throw new UnsupportedError("its document has no operations");
  const allowed = allowedOperations(found, options.allow);
  if (allowed.length > MAX_OPENAPI_OPERATIONS) throw tooMany(allowed, options.allow);
  const schemas = new Schemas(new WorkBudget(MAX_DOCUMENT_STEPS));
  const tools: OpenApiOperation[] = [];
  const unsupported = options.allow === undefined ? unread : [];
  for (const operation of allowed) {
    try {
      tools.push(convertOperation(document, operation, options, schemas));
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      unsupported.push({ name: operation.name, reason: error.message });
    }
  }
  const [first, ...others] = unsupported;
  if (
    tools.length === 0 &&
    first !== undefined &&
    others.every(({ reason }) => reason === first.reason)
  ) {
    throw new UnsupportedError(first.reason);
  }
  return { tools, unsupported };
}

function allowedOperations(
  found: readonly FoundOperation[],
  allow: readonly string[] | undefined,
): readonly FoundOperation[] {
  if (allow === undefined) return found;
  const names = new Set(allow);
  return found.filter(({ name }) => names.has(name));
}

function tooMany(
  operations: readonly FoundOperation[],
  allow: readonly string[] | undefined,
): UnsupportedError {
  const count = `${NUMBER.format(operations.length)} operations`;
  const which = allow === undefined ? `its document has ${count}` : `allow has ${count}`;
  const names = operations.slice(0, MAX_EXAMPLES).map(({ name }) => name);
  return new UnsupportedError(
    `${which}; allow at most ${MAX_OPENAPI_OPERATIONS} of them by name, such as ${names.join(", ")}`,
  );
}

function findOperations(document: OpenApiDocument): {
  found: FoundOperation[];
  /** The paths that stand in other documents. */
  unread: UnsupportedTool[];
} {
  const { paths } = document.root;
  const names = new Set<string>();
  const found: FoundOperation[] = [];
  const unread: UnsupportedTool[] = [];
  for (const [path, written] of isObject(paths) ? Object.entries(paths) : []) {
    try {
      const pathItem = document.resolved(written);
      found.push(...operationsOf(path, pathItem, names));
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      unread.push({ name: operationToolName(path), reason: error.message });
    }
  }
  return { found, unread };
}

function operationsOf(path: string, pathItem: JSONObject, names: Set<string>): FoundOperation[] {
  return METHODS.flatMap((method) => {
    const operation = ownValue(pathItem, method);
    if (!isObject(operation)) return [];
    const { operationId } = operation;
    const id = typeof operationId === "string" && operationId !== "" ? operationId : undefined;
    const name = uniqueName(id ?? `${method}${path}`, names);
    names.add(name);
    return [{ name, method: method.toUpperCase(), path, pathItem, operation }];
  });
}

/** Of operations with the same name the later ones get a number, in the order of the document. */
function uniqueName(text: string, taken: ReadonlySet<string>): string {
  const name = operationToolName(text);
  let unique = name;
  for (let count = 2; taken.has(unique); count += 1) {
    const suffix = `_${count}`;
    unique = name.slice(0, MAX_NAME_CHARACTERS - suffix.length) + suffix;
  }
  return unique;
}
