/** What a model wrote as the arguments of a tool call, checked before it reaches a tool. */
import type { ValidateFunction } from "ajv";
import { MAX_ARGUMENT_PROBLEMS } from "../../contracts/limits.ts";

export type ParsedArguments =
  | { ok: true; arguments: Record<string, unknown> }
  /** What is wrong, for the model to do better. */
  | { ok: false; problem: string };

export function parseToolArguments(input: string): ParsedArguments {
  // What some servers send for a call without arguments.
  if (input.trim() === "") return { ok: true, arguments: {} };
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (error) {
    return { ok: false, problem: `the arguments are not valid JSON: ${(error as Error).message}` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, problem: "the arguments must be a JSON object" };
  }
  return { ok: true, arguments: value as Record<string, unknown> };
}

type Check = (value: unknown) => string | undefined;

/** A schema object lives as long as the agent config that it is part of, and so does its compiled form. */
const compiled = new WeakMap<object, Check>();

/** `undefined` when the arguments match the tool's schema. A schema that cannot be compiled checks nothing. */
export async function checkToolArguments(
  schema: Readonly<Record<string, unknown>>,
  value: Record<string, unknown>,
): Promise<string | undefined> {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = await compileCheck(schema);
    compiled.set(schema, check);
  }
  return check(value);
}

async function compileCheck(schema: Readonly<Record<string, unknown>>): Promise<Check> {
  const { $schema, $id: _id, ...rest } = schema;
  const isRecent = typeof $schema === "string" && /2019-09|2020-12/.test($schema);
  const Ajv = isRecent ? (await import("ajv/dist/2020.js")).Ajv2020 : (await import("ajv")).Ajv;
  let validate: ValidateFunction;
  try {
    // One instance a schema: an instance keeps all that it has compiled.
    validate = new Ajv({
      strict: false,
      allErrors: true,
      validateFormats: false,
      logger: false,
    }).compile(rest);
  } catch {
    return () => undefined;
  }
  return (value) => {
    if (validate(value)) return undefined;
    const problems = (validate.errors ?? [])
      .slice(0, MAX_ARGUMENT_PROBLEMS)
      .map(
        ({ instancePath, message }) =>
          `${instancePath === "" ? "they" : instancePath} ${message ?? "do not match"}`,
      );
    return `the arguments do not match the tool's schema: ${problems.join("; ")}`;
  };
}
