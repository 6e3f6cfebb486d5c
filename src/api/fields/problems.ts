/** What is wrong with a value, field by field, in words that name the cure. */
import { z } from "zod";
import { nearest } from "./nearest.ts";

export type FieldPath = readonly (string | number)[];

export interface FieldProblem {
  path: FieldPath;
  /** Does not name the path. Quotes no value, except a short one that should have been one of a few words. */
  message: string;
  /** True when the name of the field is wrong, not its value. */
  unknownField: boolean;
}

export type Validation<T> =
  | { ok: true; value: T }
  | { ok: false; problems: readonly FieldProblem[] };

/** Unknown fields of one object for which a known one is looked for: guessing takes time, and nobody reads more of them. */
const MAX_GUESSES = 32;

/** Every problem of `value`, not only the first. */
export function validate<T>(schema: z.ZodType<T>, value: unknown): Validation<T> {
  const result = schema.safeParse(value, { error: describe });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: withoutEchoes(result.error.issues).flatMap(fieldProblems) };
}

/** A text in place of a list has a length too, by which zod judges it as if it were one. */
function withoutEchoes(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const isSize = ({ code }: z.core.$ZodIssue): boolean =>
    code === "too_big" || code === "too_small";
  if (!issues.some(isSize)) return issues;
  const mistyped = new Set(
    issues.flatMap(({ code, path }) => (code === "invalid_type" ? [path.join("\n")] : [])),
  );
  return issues.filter((issue) => !isSize(issue) || !mistyped.has(issue.path.join("\n")));
}

/** Writes a path like `spec.env[1].name`. Keys that are not plain words are quoted. */
export function formatPath(path: FieldPath): string {
  let written = "";
  for (const key of path) {
    if (typeof key === "number") written += `[${key}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(key)) written += written === "" ? key : `.${key}`;
    else written += `[${JSON.stringify(key)}]`;
  }
  return written;
}

function fieldProblems(issue: z.core.$ZodIssue): FieldProblem[] {
  const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
  if (issue.code !== "unrecognized_keys") {
    return [{ path, message: issue.message, unknownField: false }];
  }
  // `describe` wrote a line for each of the first keys.
  const lines = issue.message.split("\n");
  return issue.keys.map((key, index) => ({
    path: [...path, key],
    message: lines[index] ?? "unknown field",
    unknownField: true,
  }));
}

/** Describes what zod found in the terms of a manifest. A schema that has its own message keeps it. */
function describe(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? "required"
        : typeMessage(issue.expected, issue.input, issue.inst);
    case "invalid_value":
      return issue.input === undefined ? "required" : choiceMessage(issue.values, issue.input);
    case "unrecognized_keys": {
      const shape = shapeOf(issue.inst);
      const guessed = issue.keys.slice(0, MAX_GUESSES);
      return guessed.map((key) => unknownFieldMessage(key, shape)).join("\n");
    }
    case "too_small":
      return boundMessage("least", issue.origin, issue.minimum);
    case "too_big":
      return boundMessage("most", issue.origin, issue.maximum);
    // The schemas of these have messages of their own.
    case "custom":
    case "invalid_format":
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
    case "not_multiple_of":
      return undefined;
  }
}

const TYPE_NAMES: Record<string, string> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
};

function typeMessage(expected: string, input: unknown, schema: unknown): string {
  const message = `must be ${TYPE_NAMES[expected] ?? expected}, not ${typeOf(input)}`;
  if (expected === "string" && (typeof input === "number" || typeof input === "boolean")) {
    return cured(message, String(input), schema, "put it in quotes");
  }
  if (expected === "string" && typeof input === "object" && input !== null) {
    return `${message}; write its text behind "|"`;
  }
  const unquoted = typeof input === "string" ? withoutQuotes(input) : undefined;
  if (unquoted !== undefined && ["int", "number", "boolean"].includes(expected)) {
    return cured(message, unquoted, schema, "remove the quotes");
  }
  return message;
}

/** Names the cure if it cures, and otherwise what the value would have to be. `value` is what the cure would make of it. */
function cured(message: string, value: unknown, schema: unknown, cure: string): string {
  if (!(schema instanceof z.ZodType)) return message;
  const result = schema.safeParse(value, { error: describe });
  if (result.success) return `${message}; ${cure}`;
  return result.error.issues[0]?.message ?? message;
}

function withoutQuotes(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : undefined;
}

function typeOf(input: unknown): string {
  if (input === null) return "empty";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a mapping";
  if (typeof input === "number" && !Number.isFinite(input)) return "infinite or no number";
  if (typeof input === "number" && !Number.isInteger(input)) return "a number with a fraction";
  return typeof input === "boolean" ? `${input}` : `a ${typeof input}`;
}

function choiceMessage(values: readonly unknown[], input: unknown): string {
  const choices = values.map(String);
  const wanted =
    choices.length === 1 ? `must be "${choices[0]}"` : `must be one of ${choices.join(", ")}`;
  if (typeof input !== "string" || input.length > 64) return wanted;
  const meant = nearest(input, choices);
  const found = `${wanted}, not ${JSON.stringify(input)}`;
  return meant === undefined || choices.length === 1 ? found : `${found}; did you mean "${meant}"?`;
}

function boundMessage(side: "least" | "most", origin: string, bound: number | bigint): string {
  switch (origin) {
    case "string":
      return side === "least" && bound === 1
        ? "must not be empty"
        : `must have at ${side} ${bound} characters`;
    case "array":
      return `must have at ${side} ${bound} item${bound === 1 ? "" : "s"}`;
    default:
      return `must be at ${side} ${bound}`;
  }
}

type Shape = Record<string, z.core.$ZodType>;

function unknownFieldMessage(key: string, shape: Shape): string {
  const meant = nestedField(key, shape) ?? nearest(key, Object.keys(shape));
  return meant === undefined ? "unknown field" : `unknown field; did you mean "${meant}"?`;
}

/** The place of a field one level further in, if only one place has it. Users who lose an indentation write it too far out. */
function nestedField(key: string, shape: Shape): string | undefined {
  const parents = Object.entries(shape).filter(([, field]) =>
    Object.hasOwn(shapeOf(unwrap(field)), key),
  );
  return parents.length === 1 ? `${parents[0]?.[0]}.${key}` : undefined;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const definition = schema._zod.def as { innerType?: z.core.$ZodType };
  return definition.innerType === undefined ? schema : unwrap(definition.innerType);
}

function shapeOf(schema: unknown): Shape {
  return schema instanceof z.ZodObject ? schema.def.shape : {};
}
