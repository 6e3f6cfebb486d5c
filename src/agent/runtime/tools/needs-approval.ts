import type { ToolConfig } from "../../../agent-config/agent-config.ts";
import type { CompiledSchema } from "../../../promptpack/schema/compile-schema.ts";
import { nextTurn } from "../../../time/next-turn.ts";
import { MAX_ARGUMENT_STEPS } from "../../contracts/limits.ts";

/** By schema. A schema object lives as long as the agent config that it is a part of, and so does its compiled form. */
const compiled = new WeakMap<object, CompiledSchema>();

/**
 * Whether a call with these arguments is made only when the user approves it. Where the schema of the arguments cannot be used, or
 * the arguments cannot be judged, the user is asked.
 */
export async function needsApproval(
  approval: ToolConfig["approval"],
  toolArguments: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  if (approval === undefined || approval === "never") return false;
  if (approval === "always") return true;
  const schema = approval.arguments;
  const { compileSchema } = await import("../../../promptpack/schema/compile-schema.ts");
  await nextTurn();
  const check = compiled.get(schema) ?? compileSchema(schema);
  compiled.set(schema, check);
  return !check.ok || check.matches(toolArguments, MAX_ARGUMENT_STEPS) !== false;
}
