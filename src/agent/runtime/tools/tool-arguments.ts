/** Checks what a model wrote as the arguments of a tool call, before it reaches the tool. */
import type { ValidateFunction } from "ajv";
import { MAX_ARGUMENT_PROBLEMS } from "../../contracts/limits.ts";

export type ParsedArguments =
  | { ok: true; arguments: Record<string, unknown> }
  /** What is wrong, so that the model can do better. */
  | { ok: false; problem: string };

export function parseToolArguments(input: string): ParsedArguments {
  // Some servers send nothing for a call without arguments.
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

/** By schema. A schema object lives as long as the agent config that it is a part of, and so does its compiled form. */
const compiled = new WeakMap<object, Check>();

/** What is wrong with the arguments. Undefined when they match the tool's schema, or when it cannot be compiled. */
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
    // Each schema has an instance of its own, since an instance keeps all that it has compiled.
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
