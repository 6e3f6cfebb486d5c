/** Checks what a model wrote as the arguments of a tool call, before it reaches the tool. */
import { isTooDeep, MAX_JSON_DEPTH } from "../../../promptpack/document/json-depth.ts";
import { wellFormedJSON } from "../../../promptpack/document/well-formed-json.ts";
import { lastStateOf } from "./growing-arguments.ts";
import { mendedArguments } from "./mended-arguments.ts";
import type { CompiledSchema } from "../../../promptpack/schema/compile-schema.ts";
import { nextTurn } from "../../../time/next-turn.ts";
import {
  MAX_ARGUMENT_CHARACTERS,
  MAX_ARGUMENT_PROBLEMS,
  MAX_ARGUMENT_STEPS,
} from "../../contracts/limits.ts";

export type ParsedArguments =
  | { ok: true; arguments: Record<string, unknown> }
  /** What is wrong, so that the model can do better. */
  | { ok: false; problem: string };

export function parseToolArguments(input: string): ParsedArguments {
  // Some servers send nothing for a call without arguments.
  if (input.trim() === "") return { ok: true, arguments: {} };
  if (input.length > MAX_ARGUMENT_CHARACTERS) {
    const limit = MAX_ARGUMENT_CHARACTERS / 1024;
    return { ok: false, problem: `the arguments are longer than ${limit} KiB; make them shorter` };
  }
  let value: unknown;
  try {
    value = parseLastState(wellFormedJSON(input));
    // Some servers write the JSON of the arguments as a string, and null or an empty list where there are none.
    const isWithin = typeof value === "string" && value.trim().startsWith("{");
    if (isWithin) value = JSON.parse(wellFormedJSON(value as string));
    value ??= {};
    if (Array.isArray(value) && value.length === 0) value = {};
  } catch (error) {
    return { ok: false, problem: `the arguments are not valid JSON: ${(error as Error).message}` };
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    return { ok: false, problem: "the arguments must be a JSON object" };
  }
  if (isTooDeep(value)) {
    const problem = `the arguments are nested more than ${MAX_JSON_DEPTH} deep; make them flatter`;
    return { ok: false, problem };
  }
  return { ok: true, arguments: value as Record<string, unknown> };
}

function parseLastState(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const mended = mendedArguments(text);
    const last = lastStateOf(mended);
    if (last === undefined) throw error;
    return JSON.parse(last);
  }
}

/** By schema. A schema object lives as long as the agent config that it is a part of, and so does its compiled form. */
const compiled = new WeakMap<object, CompiledSchema>();

export interface ArgumentRule {
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** Whether the schema is the server's own, by which the server judges arguments itself. */
  readonly isJudgedByServer: boolean;
}

/**
 * What is wrong with the arguments; undefined when they match the tool's schema. A schema that cannot be used lets nothing pass, unless
 * the server judges the arguments itself.
 */
export async function checkToolArguments(
  { inputSchema: schema, isJudgedByServer }: ArgumentRule,
  value: Record<string, unknown>,
): Promise<string | undefined> {
  const { compileSchema } = await import("../../../promptpack/schema/compile-schema.ts");
  // A step may have many calls, and each check is as long as the event loop may stand still.
  await nextTurn();
  const check = compiled.get(schema) ?? compileSchema(schema);
  compiled.set(schema, check);
  if (!check.ok) {
    if (isJudgedByServer) return undefined;
    return `not called: the schema of the tool's arguments cannot be used: ${check.problem}`;
  }
  const limits = { maxSteps: MAX_ARGUMENT_STEPS, maxProblems: MAX_ARGUMENT_PROBLEMS };
  const problems = check.check(value, limits);
  return problems.length === 0
    ? undefined
    : `the arguments do not match the tool's schema: ${problems.join("; ")}`;
}
