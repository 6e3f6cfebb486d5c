/** The variables of a prompt: what its templates need from the agent, and of which type. */
import { z } from "zod";
import { identifier } from "./names-and-versions.ts";

export const variableSchema = z.strictObject({
  name: identifier(),
  type: z.enum(["string", "number", "boolean", "object", "array"]),
  /** The specification requires this field, but many packs leave it out. */
  required: z.boolean().default(false),
  default: z.unknown().optional(),
  description: z.string().optional(),
  example: z.unknown().optional(),
  validation: z
    .strictObject({
      pattern: z.string().optional(),
      min_length: z.int().min(0).optional(),
      max_length: z.int().min(1).optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      enum: z.array(z.unknown()).optional(),
    })
    .optional(),
  binding: z
    .strictObject({
      kind: z.string().optional(),
      field: z.string().optional(),
      auto_populate: z.boolean().optional(),
      filter: z.string().optional(),
    })
    .optional(),
});

export type PackVariable = z.output<typeof variableSchema>;
export type VariableType = PackVariable["type"];
