/** One prompt of a pack: its template, and all that belongs to it alone. */
import { z } from "zod";
import { listOf, mapOf } from "./lists-and-maps.ts";
import { evalSchema } from "./evals.ts";
import { mediaSchema } from "./media.ts";
import { semver } from "./names-and-versions.ts";
import { parametersSchema } from "./parameters.ts";
import { toolPolicySchema } from "./tool-policy.ts";
import { validatorsSchema } from "./validators.ts";
import { variableSchema } from "./variables.ts";

const modelOverrideSchema = z.strictObject({
  system_template: z.string().optional(),
  system_template_prefix: z.string().optional(),
  system_template_suffix: z.string().optional(),
  parameters: parametersSchema.optional(),
});

const pipelineSchema = z.strictObject({
  stages: listOf(z.string()),
  middleware: listOf(
    z.strictObject({ type: z.string(), config: z.record(z.string(), z.unknown()).optional() }),
  ).optional(),
});

const testedModelSchema = z.strictObject({
  provider: z.string(),
  model: z.string(),
  date: z.string(),
  success_rate: z.number().min(0).max(1).optional(),
  avg_tokens: z.number().min(0).optional(),
  avg_cost: z.number().min(0).optional(),
  avg_latency_ms: z.number().min(0).optional(),
  notes: z.string().optional(),
});

export const promptSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9_-]*$/, 'must be of a-z, 0-9, "_" and "-", and begin with a letter'),
  name: z.string().min(1),
  version: semver(),
  description: z.string().optional(),
  system_template: z.string().min(1),
  variables: listOf(variableSchema).optional(),
  tools: listOf(z.string()).optional(),
  tool_policy: toolPolicySchema.optional(),
  pipeline: pipelineSchema.optional(),
  parameters: parametersSchema.optional(),
  validators: validatorsSchema.optional(),
  evals: listOf(evalSchema).optional(),
  tested_models: listOf(testedModelSchema).optional(),
  model_overrides: mapOf(modelOverrideSchema).optional(),
  media: mediaSchema.optional(),
});

export type PackPrompt = z.output<typeof promptSchema>;
