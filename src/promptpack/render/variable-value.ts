/** Converts the text that an AgentRuntime gives for a variable to the type that the pack declares. */
import { canonicalJSON } from "../document/content-hash.ts";
import { isTooDeep } from "../document/json-depth.ts";
import type { Patterns } from "../patterns/patterns.ts";
import type { PackVariable, VariableType } from "../document/variables.ts";

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const TYPE_NAMES: Record<VariableType, string> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  object: "a JSON object",
  array: "a JSON array",
};

export type ConvertedValue = { ok: true; value: unknown } | { ok: false; problem: string };

export interface ValueProblem {
  message: string;
  /** The value may be right: its pattern cannot be judged. */
  isUnjudged: boolean;
}

/** The problem does not quote the value. */
export function convertValue(
  variable: PackVariable,
  text: string,
  patterns: Patterns,
): ConvertedValue {
  const value = parseValue(variable.type, text);
  const problem =
    value === undefined
      ? typeProblem(variable.type)
      : validationProblem(variable, value, patterns)?.message;
  return problem === undefined ? { ok: true, value } : { ok: false, problem };
}

function parseValue(type: VariableType, text: string): unknown {
  switch (type) {
    case "string":
      return text;
    case "number": {
      const number = NUMBER.test(text.trim()) ? Number(text) : Number.NaN;
      return Number.isFinite(number) ? number : undefined;
    }
    case "boolean": {
      const word = text.trim().toLowerCase();
      return word === "true" ? true : word === "false" ? false : undefined;
    }
    case "object":
    case "array": {
      try {
        const value = JSON.parse(text) as unknown;
        return hasType(type, value) && !isTooDeep(value) ? value : undefined;
      } catch {
        return undefined;
      }
    }
  }
}

export function hasType(type: VariableType, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
  }
}

export function typeProblem(type: VariableType): string {
  return `must be ${TYPE_NAMES[type]}`;
}

/** Why a value of the right type is refused. */
export function validationProblem(
  { validation = {} }: PackVariable,
  value: unknown,
  patterns: Patterns,
): ValueProblem | undefined {
  const { pattern, min_length, max_length, minimum, maximum } = validation;
  const wrong = (message: string): ValueProblem => ({ message, isUnjudged: false });
  if (validation.enum !== undefined) {
    const wanted = validation.enum.map(canonicalJSON);
    if (!wanted.includes(canonicalJSON(value))) return wrong(`must be one of ${wanted.join(", ")}`);
  }
  if (typeof value === "string") {
    // The length counts whole characters, not the two halves that some of them have in a string.
    const length = Array.from(value).length;
    if (min_length !== undefined && length < min_length) {
      return wrong(`must have at least ${min_length} characters`);
    }
    if (max_length !== undefined && length > max_length) {
      return wrong(`must have at most ${max_length} characters`);
    }
    if (pattern !== undefined) {
      const verdict = patterns.test(pattern, value);
      if (verdict === "differs") return wrong(`must match the pattern ${pattern}`);
      if (verdict !== "matches") {
        return { message: `cannot be judged: its pattern ${verdict.problem}`, isUnjudged: true };
      }
    }
  }
  if (typeof value === "number") {
    if (minimum !== undefined && value < minimum) return wrong(`must be at least ${minimum}`);
    if (maximum !== undefined && value > maximum) return wrong(`must be at most ${maximum}`);
  }
  return undefined;
}
