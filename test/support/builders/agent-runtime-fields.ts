import type { z } from "zod";
import { agentRuntimeSpecSchema } from "../../../src/api/agent-runtime.ts";

/** Paths of the fields of an AgentRuntime's spec; lists, maps and what affinities are made of count as one field. */
export function agentRuntimeFields(): string[] {
  return leavesOf(agentRuntimeSpecSchema).toSorted();
}

function leavesOf(schema: z.core.$ZodType, path: string[] = []): string[] {
  const definition = schema._zod.def as {
    innerType?: z.core.$ZodType;
    shape?: Record<string, z.core.$ZodType>;
  };
  if (definition.innerType !== undefined) return leavesOf(definition.innerType, path);
  const isWhole = definition.shape === undefined || (path[0] === "affinity" && path.length === 2);
  if (isWhole) return [path.join(".")];
  return Object.entries(definition.shape ?? {}).flatMap(([name, field]) =>
    leavesOf(field, [...path, name]),
  );
}
