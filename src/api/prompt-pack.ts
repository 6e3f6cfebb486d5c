/** PromptPack: a versioned set of prompts, read from a ConfigMap. */
import { z } from "zod";
import { allowedNamespacesSchema } from "./fields/allowed-namespaces.ts";
import { conditionsSchema, observedGenerationSchema } from "./conditions.ts";
import { int32 } from "./fields/types.ts";
import { API_VERSION, DEFAULT_PACK_KEY, PROMPT_PACK } from "./group.ts";
import { dataKey, dnsSubdomain, metadataSchema } from "./fields/names.ts";
import { withRules } from "./fields/rule.ts";

/** Leaves room for `-` and the 12 digits of a content hash, since each version is kept in a ConfigMap that is named so. */
const MAX_NAME_LENGTH = 253 - 13;

const rolloutSchema = withRules(
  z.strictObject({
    strategy: z
      .enum(["immediate", "canary"])
      .default("immediate")
      .describe("How a new version reaches the agents"),
    canary: z
      .strictObject({
        weight: int32(0, 100).describe("Percentage of sessions that get the new version"),
      })
      .optional()
      .describe("Required for strategy canary"),
  }),
  [
    {
      cel: "!has(self.strategy) || self.strategy != 'canary' || has(self.canary)",
      holds: ({ strategy, canary }) => strategy !== "canary" || canary !== undefined,
      path: ["canary"],
      message: 'required when rollout.strategy is "canary"; set canary.weight (0 to 100)',
      reason: "FieldValueRequired",
    },
  ],
);

export const promptPackSpecSchema = z.strictObject({
  source: z
    .strictObject({
      configMapRef: z
        .strictObject({
          name: dnsSubdomain().describe("Name of the ConfigMap"),
          key: dataKey().default(DEFAULT_PACK_KEY).describe("Key that holds the pack"),
        })
        .describe("A ConfigMap in the same namespace"),
    })
    .describe("Where the pack is"),
  rollout: rolloutSchema.prefault({}).describe("How a new version reaches the agents"),
  allowedNamespaces: allowedNamespacesSchema
    .optional()
    .describe("Whose AgentRuntimes may refer to it; as the operator is set if unset"),
});

export const promptPackStatusSchema = z.object({
  phase: z
    .enum(["Pending", "Active", "Canary", "Failed"])
    .optional()
    .describe("Where the pack stands"),
  activeVersion: z.string().max(64).optional().describe("Content hash of the version in use"),
  activeSemver: z.string().max(256).optional().describe("The version that this content names"),
  previousVersion: z
    .string()
    .max(64)
    .optional()
    .describe("Content hash of the version that was in use before"),
  canaryVersion: z.string().max(64).optional().describe("Content hash of the version on trial"),
  canarySemver: z.string().max(256).optional().describe("The version that this content names"),
  canaryWeight: int32(0, 100).optional().describe("Percentage of sessions on trial"),
  observedGeneration: observedGenerationSchema,
  conditions: conditionsSchema.optional().describe("What holds, and why not"),
});

export const promptPackSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(PROMPT_PACK),
  metadata: metadataSchema(dnsSubdomain(MAX_NAME_LENGTH)),
  spec: promptPackSpecSchema,
  status: promptPackStatusSchema.optional(),
});

export type PromptPack = z.output<typeof promptPackSchema>;
export type PromptPackStatus = z.output<typeof promptPackStatusSchema>;
