/**
 * The PromptPack document of specification 1.4.0, in the form that the rest of the program reads: shorter spellings are
 * already translated, and `required` is always set. It refuses unknown fields where the specification does.
 */
import { z } from "zod";
import { listOf, mapOf } from "./lists-and-maps.ts";
import { agentsSchema } from "./agents.ts";
import { evalSchema } from "./evals.ts";
import { compilationSchema, metadataSchema } from "./metadata.ts";
import { semver } from "./names-and-versions.ts";
import { promptSchema } from "./prompts.ts";
import { type SkillEntry, skillSchema } from "./skills.ts";
import { templateEngineSchema } from "./template-engine.ts";
import { toolSchema } from "./tools.ts";
import { workflowSchema } from "./workflow.ts";

export const promptPackDocumentSchema = z.strictObject({
  $schema: z.string().optional(),
  id: z
    .string()
    .max(100)
    .regex(/^[a-z][a-z0-9-]*$/, 'must be of a-z, 0-9 and "-", and begin with a letter'),
  name: z.string().min(1).max(200),
  version: semver(),
  description: z.string().max(5000).optional(),
  template_engine: templateEngineSchema,
  prompts: mapOf(promptSchema).refine(
    (prompts) => Object.keys(prompts).length > 0,
    "needs at least one prompt",
  ),
  fragments: mapOf(z.string()).optional(),
  tools: mapOf(toolSchema).optional(),
  metadata: metadataSchema.optional(),
  compilation: compilationSchema.optional(),
  evals: listOf(evalSchema).optional(),
  workflow: workflowSchema.optional(),
  agents: agentsSchema.optional(),
  skills: listOf(skillSchema).optional(),
});

/** Skills that were named by their paths stand in it with their instructions, as far as they could be read. */
export type PromptPackDocument = Omit<z.output<typeof promptPackDocumentSchema>, "skills"> & {
  skills?: SkillEntry[] | undefined;
};
