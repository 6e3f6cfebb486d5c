/** How the model samples its answers. */
import { z } from "zod";

export const parametersSchema = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.int().min(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(1).nullable().optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
});

export type PackParameters = z.output<typeof parametersSchema>;
