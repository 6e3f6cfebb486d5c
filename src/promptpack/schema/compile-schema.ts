/**
 * Whether a value is what a JSON Schema asks for. Schemas are foreign text: nothing is made into code, and reading one and checking
 * a value are paid for from budgets. A schema that cannot be read is refused, and a value that cannot be judged is too.
 */
import { isTooDeep, MAX_JSON_DEPTH } from "../document/json-depth.ts";
import { fromECMAScript } from "../patterns/ecmascript-pattern.ts";
import { Patterns } from "../patterns/patterns.ts";
import { WorkBudget } from "../patterns/work-budget.ts";
import { readSchema, SchemaError } from "./read-schema.ts";
import type { JSONObject, SchemaNode } from "./schema-node.ts";
import { type CheckLimits, UnjudgedError, ValueCheck } from "./value-check.ts";

/** As JSON. What a model is told of a tool is part of every request. */
export const MAX_SCHEMA_CHARACTERS = 64 * 1024;
/** To read one schema and to compile its patterns. */
export const MAX_SCHEMA_STEPS = 2_000_000;
const CHARACTER_STEPS = 2;

export type CompiledSchema =
  | {
      readonly ok: true;
      /** What is wrong with a value that is nested no deeper than MAX_JSON_DEPTH. Nothing when it is right. */
      check(value: unknown, limits: CheckLimits): readonly string[];
      /** Whether such a value is right; undefined when it cannot be judged in so many steps. */
      matches(value: unknown, maxSteps: number): boolean | undefined;
    }
  | {
      readonly ok: false;
      /** It names the place in the schema, and the cure. */
      readonly problem: string;
    };

/** Schemas that are judged together. Their patterns are compiled once, and the work for all of them is bounded. */
export class Schemas {
  readonly #budget: WorkBudget;
  readonly #patterns: Patterns;

  constructor(budget: WorkBudget) {
    this.#budget = budget;
    this.#patterns = new Patterns(budget, fromECMAScript);
  }

  compile(schema: JSONObject): CompiledSchema {
    const budget = new WorkBudget(MAX_SCHEMA_STEPS, this.#budget);
    return compileWithin(schema, this.#patterns, budget);
  }
}

export function compileSchema(schema: JSONObject): CompiledSchema {
  return new Schemas(new WorkBudget(MAX_SCHEMA_STEPS)).compile(schema);
}

function compileWithin(schema: JSONObject, patterns: Patterns, budget: WorkBudget): CompiledSchema {
  if (isTooDeep(schema)) {
    return { ok: false, problem: `it is nested more than ${MAX_JSON_DEPTH} deep; make it flatter` };
  }
  const { length } = JSON.stringify(schema);
  if (length > MAX_SCHEMA_CHARACTERS) {
    const problem = `it is larger than ${MAX_SCHEMA_CHARACTERS / 1024} KiB; leave out what the model need not know`;
    return { ok: false, problem };
  }
  if (!budget.take(CHARACTER_STEPS * length)) {
    return { ok: false, problem: "the schemas are too large together; split them" };
  }
  let root: SchemaNode;
  try {
    root = readSchema(schema, patterns, budget);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return { ok: false, problem: error.message };
  }
  return {
    ok: true,
    check: (value, limits) => problemsOf(root, value, limits),
    matches: (value, maxSteps) => isMatch(root, value, maxSteps),
  };
}

function isMatch(root: SchemaNode, value: unknown, maxSteps: number): boolean | undefined {
  try {
    return new ValueCheck({ maxSteps, maxProblems: 0 }).run(root, value);
  } catch (error) {
    if (!(error instanceof UnjudgedError)) throw error;
    return undefined;
  }
}

function problemsOf(root: SchemaNode, value: unknown, limits: CheckLimits): readonly string[] {
  const check = new ValueCheck(limits);
  try {
    return check.run(root, value) ? [] : check.problems;
  } catch (error) {
    if (!(error instanceof UnjudgedError)) throw error;
    return [`they cannot be checked: ${error.message}; make them shorter`];
  }
}
