/** The part of a pack that offers its prompts as agents to other agents. */
import { z } from "zod";

export const agentsSchema = z.strictObject({
  entry: z.string(),
  members: z
    .record(
      z.string(),
      z.strictObject({
        description: z.string().optional(),
        tags: z.array(z.string()).optional(),
        input_modes: z.array(z.string()).optional(),
        output_modes: z.array(z.string()).optional(),
      }),
    )
    .refine((members) => Object.keys(members).length > 0, "needs at least one member"),
});
