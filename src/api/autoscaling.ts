/** Replicas that follow the load. */
import { z } from "zod";
import { atomicList, int32, stringMap, text } from "./fields/types.ts";
import { withRules } from "./fields/rule.ts";

const kedaSchema = z.strictObject({
  pollingInterval: int32(1).default(30).describe("Seconds between two looks at the triggers"),
  cooldownPeriod: int32(0).default(300).describe("Seconds without load before scaling to zero"),
  triggers: atomicList(
    z.strictObject({
      type: text(63).describe("Type of the KEDA scaler"),
      metadata: stringMap(64, 4096).default({}).describe("What the scaler needs to know"),
    }),
    16,
  )
    .optional()
    .describe("What is measured; the connections of the agent if unset"),
});

export const autoscalingSchema = withRules(
  z.strictObject({
    enabled: z.boolean().default(false).describe("Whether the number of replicas follows the load"),
    type: z.enum(["hpa", "keda"]).default("hpa").describe("What scales"),
    minReplicas: int32(0).default(1).describe("Fewest replicas; 0 only with keda"),
    maxReplicas: int32(1).default(10).describe("Most replicas"),
    targetMemoryUtilizationPercentage: int32(1)
      .default(70)
      .describe("Memory in use, in percent of the request"),
    targetCPUUtilizationPercentage: int32(1)
      .default(90)
      .describe("CPU in use, in percent of the request"),
    scaleDownStabilizationSeconds: int32(0, 3600)
      .default(300)
      .describe("How long the load must have been lower before replicas are removed"),
    keda: kedaSchema.optional().describe("For type keda"),
  }),
  [
    {
      cel: "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
      holds: ({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas,
      path: ["minReplicas"],
      message: "must not be greater than maxReplicas",
    },
    {
      cel: "!has(self.minReplicas) || self.minReplicas > 0 || (has(self.type) && self.type == 'keda')",
      holds: ({ minReplicas, type }) => minReplicas > 0 || type === "keda",
      path: ["minReplicas"],
      message: '0 is possible only with type "keda"; use 1 or more',
    },
  ],
);

export type Autoscaling = z.output<typeof autoscalingSchema>;
