/** The tools that the prompts of a pack may call, as the model is told of them. */
import { z } from "zod";
import { listOf, mapOf } from "./lists-and-maps.ts";
import { identifier } from "./names-and-versions.ts";

export const toolSchema = z.strictObject({
  name: identifier(),
  description: z.string().min(1),
  /** A JSON Schema. */
  parameters: z
    .looseObject({
      type: z.literal("object"),
      properties: mapOf(z.record(z.string(), z.unknown())),
      required: listOf(z.string()).optional(),
    })
    .optional(),
});

export type PackTool = z.output<typeof toolSchema>;
