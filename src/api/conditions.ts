/** The conditions of each kind and their reasons. Other programs act on these names, so none is ever removed or renamed. */
import { z } from "zod";
import { pattern } from "./fields/types.ts";

export const conditionSchema = z.object({
  type: pattern(316, /^[A-Za-z]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/).describe("What is said"),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds"),
  reason: pattern(1024, /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/).describe(
    "Why, as one word for programs",
  ),
  message: z.string().max(32_768).describe("Why, and what to do, for people"),
  lastTransitionTime: z.iso.datetime({ offset: true }).describe("When the status last changed"),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .meta({ format: "int64" })
    .describe("The generation of the spec that this is about"),
});

export type Condition = z.output<typeof conditionSchema>;

export const observedGenerationSchema = z
  .int()
  .min(0)
  .optional()
  .meta({ format: "int64" })
  .describe("The generation of the spec that this status is about");

export const conditionsSchema = z
  .array(conditionSchema)
  .max(32)
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });

/** Kind → condition type → its reasons, by whether the condition is True with them. */
export const CONDITIONS = {
  AgentRuntime: {
    Available: {
      true: ["ReplicasAvailable"],
      notTrue: [
        "WaitingForReferences",
        "WaitingForPods",
        "PodsFailing",
        "DeadlineExceeded",
        "ScaledToZero",
      ],
    },
    PromptPackReady: {
      true: ["Resolved", "NotReferenced"],
      notTrue: ["NotFound", "Invalid", "PromptNotFound", "VariablesMissing"],
    },
    ToolRegistryReady: {
      true: ["Resolved", "NotReferenced"],
      notTrue: ["NotFound", "NotAllowed", "ToolsMissing", "Degraded", "Failed"],
    },
    ProviderReady: {
      true: ["Resolved", "NotNeeded"],
      notTrue: ["NotAllowed", "SecretNotFound", "SecretKeyMissing", "InvalidKey"],
    },
    SessionStoreReady: {
      true: ["Resolved", "NotNeeded"],
      notTrue: ["SecretNotFound", "SecretKeyMissing", "InvalidURL", "Unreachable"],
    },
    Progressing: {
      true: ["Complete", "RollingOut"],
      notTrue: ["WaitingForReferences", "RolloutStuck", "Quota", "Unschedulable", "ImagePull"],
    },
    AutoscalingReady: {
      true: ["Active", "NotEnabled"],
      notTrue: [
        "MetricsUnavailable",
        "KedaNotInstalled",
        "Refused",
        "WaitingForAutoscaler",
        "Paused",
      ],
    },
    /** It is there only while a second operator is told to look after the same AgentRuntime and keeps off it. */
    Managed: { true: [], notTrue: ["ManagedByAnother"] },
    /** Everything is as the newest spec wants it. Its reason is that of the condition to mend first. */
    Ready: {
      true: ["AsWanted", "ScaledToZero"],
      notTrue: [
        "RollingOut",
        "WaitingForReferences",
        "WaitingForPods",
        "PodsFailing",
        "DeadlineExceeded",
        "RolloutStuck",
        "Quota",
        "Unschedulable",
        "ImagePull",
        "NotFound",
        "NotAllowed",
        "Invalid",
        "PromptNotFound",
        "VariablesMissing",
        "ToolsMissing",
        "Degraded",
        "Failed",
        "SecretNotFound",
        "SecretKeyMissing",
        "InvalidKey",
        "InvalidURL",
        "Unreachable",
        "ManagedByAnother",
      ],
    },
  },
  PromptPack: {
    SourceValid: {
      true: ["Valid"],
      notTrue: ["ConfigMapNotFound", "KeyNotFound", "InvalidJSON", "InvalidPack", "TooLarge"],
    },
    AgentsNotified: { true: ["Notified", "NoAgents"], notTrue: ["Notifying"] },
  },
  ToolRegistry: {
    ToolsAvailable: {
      true: ["ToolsFound"],
      notTrue: ["NoServices", "NoReadyEndpoints", "Unreachable", "InvalidTool"],
    },
    AllToolsReady: {
      true: ["AllReady"],
      notTrue: ["NoServices", "NoReadyEndpoints", "Unreachable", "InvalidTool"],
    },
  },
} as const;

type Conditions = typeof CONDITIONS;
/** The condition types of a kind, like `ConditionType<"AgentRuntime">`. */
export type ConditionType<Kind extends keyof Conditions> = keyof Conditions[Kind] & string;
/** The reasons of one condition of a kind. */
export type ConditionReason<
  Kind extends keyof Conditions,
  Type extends keyof Conditions[Kind],
> = Conditions[Kind][Type] extends {
  true: readonly (infer Good extends string)[];
  notTrue: readonly (infer Bad extends string)[];
}
  ? Good | Bad
  : never;
