/** How the quality of answers is assessed, for one prompt or for the whole pack. */
import { z } from "zod";
import { listOf } from "./lists-and-maps.ts";

export const evalSchema = z.strictObject({
  id: z.string().min(1),
  type: z.string().min(1),
  trigger: z.string(),
  description: z.string().optional(),
  sample_percentage: z.number().min(0).max(100).optional(),
  enabled: z.boolean().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  metric: z
    .looseObject({
      name: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, "must be a name that Prometheus allows"),
      type: z.enum(["gauge", "counter", "histogram", "boolean"]),
      range: z.looseObject({ min: z.number().optional(), max: z.number().optional() }).optional(),
    })
    .optional(),
  threshold: z
    .strictObject({ operator: z.string().optional(), value: z.number().optional() })
    .optional(),
  message: z.string().optional(),
  when: z.record(z.string(), z.unknown()).optional(),
  groups: listOf(z.string()).optional(),
});
