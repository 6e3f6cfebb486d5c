/** The part of a pack that offers its prompts as agents to other agents. */
import { z } from "zod";
import { listOf, mapOf } from "./lists-and-maps.ts";

export const agentsSchema = z.strictObject({
  entry: z.string(),
  members: mapOf(
    z.strictObject({
      description: z.string().optional(),
      tags: listOf(z.string()).optional(),
      input_modes: listOf(z.string()).optional(),
      output_modes: listOf(z.string()).optional(),
    }),
  ).refine((members) => Object.keys(members).length > 0, "needs at least one member"),
});
