/** What a pack says about itself, and which compiler made it. */
import { z } from "zod";
import { listOf } from "./lists-and-maps.ts";

const cost = () => z.number().min(0).optional();

export const metadataSchema = z.looseObject({
  domain: z.string().optional(),
  language: z
    .string()
    .regex(/^[a-z]{2}$/, 'must be a language of two letters, like "en"')
    .optional(),
  tags: listOf(z.string()).optional(),
  cost_estimate: z
    .looseObject({ min_cost_usd: cost(), max_cost_usd: cost(), avg_cost_usd: cost() })
    .optional(),
});

export const compilationSchema = z.looseObject({
  compiled_with: z.string(),
  created_at: z.string(),
  schema: z.string(),
  source: z.string().optional(),
});
