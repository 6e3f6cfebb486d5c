/** core/v1 Affinity: where pods like to run, and beside whom. */
import { z } from "zod";
import { atomicList, int32, text } from "./types.ts";
import { labelSelectorSchema } from "./label-selector.ts";

const MAX_TERMS = 32;
const MAX_VALUES = 128;
const labelKey = () => text(317);
const values = (maxLength: number) => atomicList(z.string().max(maxLength), MAX_VALUES);

const nodeSelectorRequirementSchema = z.strictObject({
  key: labelKey().describe("Key of the label or field"),
  operator: z
    .enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])
    .describe("How the values are compared"),
  values: values(253).optional().describe("Values to compare with"),
});

const nodeSelectorTermSchema = z.strictObject({
  matchExpressions: atomicList(nodeSelectorRequirementSchema, MAX_TERMS)
    .optional()
    .describe("Requirements on the node's labels"),
  matchFields: atomicList(nodeSelectorRequirementSchema, MAX_TERMS)
    .optional()
    .describe("Requirements on the node's fields"),
});

const nodeAffinitySchema = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z
    .strictObject({
      nodeSelectorTerms: atomicList(nodeSelectorTermSchema, MAX_TERMS).describe(
        "One of these must match",
      ),
    })
    .optional()
    .describe("What a node must be like"),
  preferredDuringSchedulingIgnoredDuringExecution: atomicList(
    z.strictObject({
      weight: int32(1, 100).describe("How much it counts"),
      preference: nodeSelectorTermSchema.describe("What a node should be like"),
    }),
    MAX_TERMS,
  )
    .optional()
    .describe("What a node should be like, best sum of weights first"),
});

const podAffinityTermSchema = z.strictObject({
  labelSelector: labelSelectorSchema.optional().describe("The pods that are meant"),
  namespaceSelector: labelSelectorSchema.optional().describe("Namespaces of these pods, by label"),
  namespaces: atomicList(text(63), MAX_TERMS)
    .optional()
    .describe("Namespaces of these pods, by name"),
  topologyKey: labelKey().describe("Label of nodes: its values are the places"),
  matchLabelKeys: atomicList(labelKey(), MAX_TERMS)
    .optional()
    .describe("Labels that must be equal to the pod's own"),
  mismatchLabelKeys: atomicList(labelKey(), MAX_TERMS)
    .optional()
    .describe("Labels that must differ from the pod's own"),
});

const podAffinitySchema = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: atomicList(podAffinityTermSchema, MAX_TERMS)
    .optional()
    .describe("What must hold"),
  preferredDuringSchedulingIgnoredDuringExecution: atomicList(
    z.strictObject({
      weight: int32(1, 100).describe("How much it counts"),
      podAffinityTerm: podAffinityTermSchema.describe("What should hold"),
    }),
    MAX_TERMS,
  )
    .optional()
    .describe("What should hold, best sum of weights first"),
});

export const affinitySchema = z.strictObject({
  nodeAffinity: nodeAffinitySchema.optional().describe("Nodes to run on"),
  podAffinity: podAffinitySchema.optional().describe("Pods to run beside"),
  podAntiAffinity: podAffinitySchema.optional().describe("Pods to keep away from"),
});

export type Affinity = z.output<typeof affinitySchema>;
