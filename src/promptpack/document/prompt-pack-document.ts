/**
 * The PromptPack document, specification 1.4.0, as what follows reads it: the lenient forms are gone, `required` is
 * always there. Unknown fields are refused where the specification refuses them.
 */
import { z } from "zod";
import { agentsSchema } from "./agents.ts";
import { evalSchema } from "./evals.ts";
import { mediaSchema } from "./media.ts";
import { validatorsSchema } from "./validators.ts";
import { workflowSchema } from "./workflow.ts";

const SEMVER =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?(\+[\da-zA-Z-]+(\.[\da-zA-Z-]+)*)?$/;
const IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const semver = () =>
  z.string().max(256).regex(SEMVER, 'must be a version like "1.4.0" or "v2.0.0-rc.1"');
const identifier = () =>
  z.string().regex(IDENTIFIER, 'must be of letters, digits and "_", and not begin with a digit');
const anyObject = () => z.record(z.string(), z.unknown());

export const VARIABLE_TYPES = ["string", "number", "boolean", "object", "array"] as const;

const variableSchema = z.strictObject({
  name: identifier(),
  type: z.enum(VARIABLE_TYPES),
  /** The specification demands it; packs in use leave it out. */
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

const toolSchema = z.strictObject({
  name: identifier(),
  description: z.string().min(1),
  /** A JSON Schema. */
  parameters: z
    .looseObject({
      type: z.literal("object"),
      properties: z.record(z.string(), anyObject()),
      required: z.array(z.string()).optional(),
    })
    .optional(),
});

const toolPolicySchema = z.strictObject({
  tool_choice: z.enum(["auto", "required", "none"]).optional(),
  max_rounds: z.int().min(1).optional(),
  max_tool_calls_per_turn: z.int().min(1).optional(),
  blocklist: z.array(z.string()).optional(),
});

const parametersSchema = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.int().min(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(1).nullable().optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
});

const modelOverrideSchema = z.strictObject({
  system_template: z.string().optional(),
  system_template_prefix: z.string().optional(),
  system_template_suffix: z.string().optional(),
  parameters: parametersSchema.optional(),
});

const pipelineSchema = z.strictObject({
  stages: z.array(z.string()),
  middleware: z
    .array(z.strictObject({ type: z.string(), config: anyObject().optional() }))
    .optional(),
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

const promptSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9_-]*$/, 'must be of a-z, 0-9, "_" and "-", and begin with a letter'),
  name: z.string().min(1),
  version: semver(),
  description: z.string().optional(),
  system_template: z.string().min(1),
  variables: z.array(variableSchema).optional(),
  tools: z.array(z.string()).optional(),
  tool_policy: toolPolicySchema.optional(),
  pipeline: pipelineSchema.optional(),
  parameters: parametersSchema.optional(),
  validators: validatorsSchema.optional(),
  evals: z.array(evalSchema).optional(),
  tested_models: z.array(testedModelSchema).optional(),
  model_overrides: z.record(z.string(), modelOverrideSchema).optional(),
  media: mediaSchema.optional(),
});

const cost = () => z.number().min(0).optional();

export const promptPackDocumentSchema = z.strictObject({
  $schema: z.string().optional(),
  id: z
    .string()
    .max(100)
    .regex(/^[a-z][a-z0-9-]*$/, 'must be of a-z, 0-9 and "-", and begin with a letter'),
  name: z.string().min(1).max(200),
  version: semver(),
  description: z.string().max(5000).optional(),
  template_engine: z.strictObject({
    version: z.string(),
    syntax: z.string(),
    features: z
      .array(z.enum(["basic_substitution", "fragments", "conditionals", "loops", "filters"]))
      .optional(),
  }),
  prompts: z
    .record(z.string(), promptSchema)
    .refine((prompts) => Object.keys(prompts).length > 0, "needs at least one prompt"),
  fragments: z.record(z.string(), z.string()).optional(),
  tools: z.record(z.string(), toolSchema).optional(),
  metadata: z
    .looseObject({
      domain: z.string().optional(),
      language: z
        .string()
        .regex(/^[a-z]{2}$/, 'must be a language of two letters, like "en"')
        .optional(),
      tags: z.array(z.string()).optional(),
      cost_estimate: z
        .looseObject({ min_cost_usd: cost(), max_cost_usd: cost(), avg_cost_usd: cost() })
        .optional(),
    })
    .optional(),
  compilation: z
    .looseObject({
      compiled_with: z.string(),
      created_at: z.string(),
      schema: z.string(),
      source: z.string().optional(),
    })
    .optional(),
  evals: z.array(evalSchema).optional(),
  workflow: workflowSchema.optional(),
  agents: agentsSchema.optional(),
  skills: z
    .array(
      z.union(
        [
          z.string(),
          z.strictObject({ path: z.string(), preload: z.boolean().optional() }),
          z.strictObject({
            name: z.string().min(1),
            description: z.string().min(1),
            instructions: z.string().min(1),
          }),
        ],
        { error: "must be a path, {path, preload} or {name, description, instructions}" },
      ),
    )
    .optional(),
});

export type PromptPackDocument = z.output<typeof promptPackDocumentSchema>;
export type PackPrompt = z.output<typeof promptSchema>;
export type PackVariable = z.output<typeof variableSchema>;
export type VariableType = (typeof VARIABLE_TYPES)[number];
export type PackTool = z.output<typeof toolSchema>;
export type PackParameters = z.output<typeof parametersSchema>;
