import type { ToolEntry } from "../../api/tool-registry.ts";
import { WorkBudget } from "../../promptpack/patterns/work-budget.ts";
import { MAX_SCHEMA_CHARACTERS, Schemas } from "../../promptpack/schema/compile-schema.ts";

/** To read the schemas of all tools of one registry. */
export const MAX_REGISTRY_STEPS = 10_000_000;

type InputSchema = Readonly<Record<string, unknown>>;

/**
 * Judges the schemas of one registry. A model's arguments are checked against them, so that a tool whose schema cannot be used
 * is invalid. The work is bounded for each of them, and for all together.
 */
export class ToolSchemas {
  readonly #budget = new WorkBudget(MAX_REGISTRY_STEPS);
  readonly #schemas = new Schemas(this.#budget);
  /** An entry has one schema for all Services that it selects. */
  readonly #judged = new Map<InputSchema, string | undefined>();

  /** Why the schema cannot be used, with its place and the cure. */
  problemOf(schema: InputSchema): string | undefined {
    if (!this.#judged.has(schema)) {
      const compiled = this.#schemas.compile(schema);
      this.#judged.set(schema, compiled.ok ? undefined : compiled.problem);
    }
    return this.#judged.get(schema);
  }

  /** Why the schema of the calls that wait for an approval cannot be used. */
  approvalProblem({ approval }: Pick<ToolEntry, "approval">): string | undefined {
    if (approval === undefined || typeof approval === "string") return undefined;
    return this.problemOf(approval.arguments);
  }

  /** Reads a schema that is written as JSON. */
  read(text: string): { readonly schema: InputSchema } | { readonly problem: string } {
    if (text.length > MAX_SCHEMA_CHARACTERS || !this.#budget.take(text.length)) {
      return { problem: `is too large; up to ${MAX_SCHEMA_CHARACTERS / 1024} KiB are read` };
    }
    const schema = parse(text);
    if (schema === undefined) return { problem: "is no JSON Schema of an object" };
    const problem = this.problemOf(schema);
    return problem === undefined ? { schema } : { problem: `cannot be used: ${problem}` };
  }
}

/** `undefined` for what is no JSON, or no schema of an object. */
function parse(text: string): InputSchema | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const { type = "object" } = value as InputSchema;
    return type === "object" ? (value as InputSchema) : undefined;
  } catch {
    return undefined;
  }
}
