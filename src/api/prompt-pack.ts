/** PromptPack: a versioned set of prompts, read from a ConfigMap. */
import { z } from "zod";
import { allowedNamespacesSchema } from "./fields/allowed-namespaces.ts";
import { conditionsSchema, observedGenerationSchema } from "./conditions.ts";
import { durationField } from "./fields/duration.ts";
import { atomicList, int32 } from "./fields/types.ts";
import { API_VERSION, DEFAULT_PACK_KEY, PROMPT_PACK } from "./group.ts";
import { dataKey, dnsSubdomain, metadataSchema } from "./fields/names.ts";
import { withRules } from "./fields/rule.ts";

/** Leaves room for `-` and the 12 digits of a content hash, since each version is kept in a ConfigMap that is named so. */
const MAX_NAME_LENGTH = 253 - 13;

const MAX_CANARY_STEPS = 20;
const MAX_SESSIONS = 1_000_000;
const MAX_GROUPS = 20;
const MAX_GROUP_LENGTH = 100;
/** How many of its sessions a canary is judged by, unless `minSessions` says otherwise. */
export const DEFAULT_MIN_SESSIONS = 10;

/** A part of all turns, from 0 to 1. */
function rate() {
  return z.number().min(0).max(1);
}

const canaryStepSchema = withRules(
  z.strictObject({
    weight: int32(0, 100).describe("Percentage of new sessions that get the new version"),
    duration: durationField("1ms", "8760h")
      .optional()
      .describe("How long the step lasts at least; without it a weight of 100 promotes at once"),
  }),
  [
    {
      cel: "self.weight == 100 || has(self.duration)",
      holds: ({ weight, duration }) => weight === 100 || duration !== undefined,
      path: ["duration"],
      message: "required unless the weight is 100; say how long the step lasts, such as 10m",
      reason: "FieldValueRequired",
    },
  ],
);

const abortWhenSchema = z.strictObject({
  errorRate: rate().optional().describe("More than this part of the turns failed, such as 0.05"),
  validationFailures: rate()
    .optional()
    .describe("Validators found fault with more than this part of the turns, such as 0.05"),
  p95FirstChunk: durationField("1ms", "1h")
    .optional()
    .describe("In more than 5 % of the turns the first chunk took longer than this"),
  evalScore: rate()
    .optional()
    .describe("The mean score of the evals of its turns is below this; wants rollout.evals"),
  minSessions: int32(0, MAX_SESSIONS)
    .default(DEFAULT_MIN_SESSIONS)
    .describe("Sessions of a step that have to be seen before it is judged"),
});

const evalsSchema = z.strictObject({
  samplePercentage: int32(1, 100)
    .optional()
    .describe("Percentage of the turns that are judged; unset, each eval says it itself"),
  groups: atomicList(z.string().min(1).max(MAX_GROUP_LENGTH), MAX_GROUPS)
    .min(1)
    .optional()
    .describe("Only evals of these groups are run; unset, those of all"),
});

const canarySchema = withRules(
  z.strictObject({
    weight: int32(0, 100)
      .optional()
      .describe(
        "Percentage of new sessions that get the new version, where no steps say it; 100 promotes",
      ),
    steps: atomicList(canaryStepSchema, MAX_CANARY_STEPS)
      .min(1)
      .optional()
      .describe("The version goes from step to step by itself, and is promoted after the last one"),
    abortWhen: abortWhenSchema.optional().describe("When the version is taken back by itself"),
  }),
  [
    {
      cel: "has(self.weight) || has(self.steps)",
      holds: ({ weight, steps }) => weight !== undefined || steps !== undefined,
      path: ["weight"],
      message: "required unless steps are set; set weight (0 to 100) or steps",
      reason: "FieldValueRequired",
    },
  ],
);

const rolloutSchema = withRules(
  z.strictObject({
    strategy: z
      .enum(["immediate", "canary"])
      .default("immediate")
      .describe("How a new version reaches the agents"),
    canary: canarySchema.optional().describe("Required for strategy canary"),
    evals: evalsSchema
      .optional()
      .describe(
        "Set, even to {}, the evals of the pack are run on a sample of the turns of agents",
      ),
  }),
  [
    {
      cel: "!has(self.strategy) || self.strategy != 'canary' || has(self.canary)",
      holds: ({ strategy, canary }) => strategy !== "canary" || canary !== undefined,
      path: ["canary"],
      message: 'required when rollout.strategy is "canary"; set canary.weight (0 to 100)',
      reason: "FieldValueRequired",
    },
    {
      cel: "has(self.evals) || !has(self.canary) || !has(self.canary.abortWhen) || !has(self.canary.abortWhen.evalScore)",
      holds: ({ evals, canary }) =>
        evals !== undefined || canary?.abortWhen?.evalScore === undefined,
      path: ["evals"],
      message:
        "required when canary.abortWhen.evalScore is set; set evals: {} to have the evals of the pack run",
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

const count = () => z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ format: "int64" });

/** What agents counted of the version on trial, in one step. */
export const canaryCountsSchema = z.object({
  sessions: count().describe("Sessions that began with it"),
  turns: count().describe("Turns that ended, but for those that were cancelled"),
  errors: count().describe("Turns of these that ended in an error"),
  validationFailures: count().describe("Turns of these that a validator found fault with"),
  evals: count().default(0).describe("Evals that were run on turns of these"),
  evalPoints: count().default(0).describe("The sum of their scores, in thousandths"),
  firstChunk: atomicList(count(), 64).describe(
    "Turns by the time to their first chunk, in buckets that grow by a quarter from 10ms",
  ),
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
  canaryStep: int32(1, MAX_CANARY_STEPS).optional().describe("The step of the trial, from 1"),
  canaryStepSince: z.string().max(64).optional().describe("When the step began"),
  canaryCounts: canaryCountsSchema.optional().describe("What agents counted in this step"),
  canaryEndedCounts: canaryCountsSchema
    .optional()
    .describe("The part of canaryCounts that is of replicas that have ended"),
  activeCounts: canaryCountsSchema
    .optional()
    .describe("What agents counted of the version in use in this step"),
  activeEndedCounts: canaryCountsSchema
    .optional()
    .describe("The part of activeCounts that is of replicas that have ended"),
  canaryMessage: z.string().max(1024).optional().describe("What the trial waits for"),
  abortedVersion: z
    .string()
    .max(64)
    .optional()
    .describe("Content hash of a version that was taken back, and is not tried again"),
  abortedSemver: z.string().max(256).optional().describe("The version that this content names"),
  abortedReason: z.string().max(1024).optional().describe("Why it was taken back"),
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
export type CanaryCounts = z.output<typeof canaryCountsSchema>;
export type PromptPackStatus = z.output<typeof promptPackStatusSchema>;
