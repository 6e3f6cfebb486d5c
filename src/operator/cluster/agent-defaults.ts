/** What agents have that say nothing of it themselves, as the operator is set. */
import { z } from "zod";
import { affinitySchema } from "../../api/fields/affinity.ts";
import { dnsSubdomain, labelValue } from "../../api/fields/names.ts";
import {
  imagePullSecretsSchema,
  resourceRequirementsSchema,
  tolerationsSchema,
} from "../../api/fields/pod-fields.ts";
import { mapOf } from "../../api/fields/types.ts";

const MAX_ENDPOINT_CHARACTERS = 2_048;

/** Each field stands in for the field of an AgentRuntime that is not set, as a whole. */
export const agentDefaultsSchema = z.strictObject({
  resources: resourceRequirementsSchema.optional(),
  imagePullSecrets: imagePullSecretsSchema.optional(),
  nodeSelector: mapOf(labelValue(), 64).optional(),
  tolerations: tolerationsSchema.optional(),
  affinity: affinitySchema.optional(),
  priorityClassName: dnsSubdomain().optional(),
  /** Where agents export traces to whose `spec.env` does not say it. */
  otel: z
    .strictObject({
      endpoint: z
        .string()
        .max(MAX_ENDPOINT_CHARACTERS)
        .regex(
          /^https?:\/\/[^\s]+$/,
          "must be an http or https URL, such as http://collector:4318",
        ),
    })
    .optional(),
});

export type AgentDefaults = z.output<typeof agentDefaultsSchema>;
