/** The parts of core/v1 that an AgentRuntime carries into its pods: variables, resources, tolerations. */
import { z } from "zod";
import { atomicList, int32, listByKey, mapOf, pattern, text } from "./types.ts";
import { dataKey, dnsSubdomain } from "./names.ts";
import { parseQuantity, QUANTITY_MAX_LENGTH, QUANTITY_PATTERN } from "./quantity.ts";
import { withRules } from "./rule.ts";

/** Environment variables whose names begin with this belong to Omnia. Those that name a runtime are for people to set. */
const RESERVED_ENV_PREFIX = "OMNIA_";
const SETTABLE_ENV_PREFIX = "OMNIA_RUNTIME";
const ENV_MAX_ITEMS = 256;
const ENV_VALUE_MAX_LENGTH = 32_768;

/** No environment variable can hold a null character, because that character ends it. */
// oxlint-disable-next-line no-control-regex -- the pattern looks for this very character
const NO_NULL_CHARACTER = /^[^\x00]*$/;

const QUANTITY_HINT =
  'must be a quantity like "500m", "2" or "256Mi", in quotes unless it is a whole number';

export const quantitySchema = withRules(
  z
    .union([z.int().min(0), pattern(QUANTITY_MAX_LENGTH, QUANTITY_PATTERN, QUANTITY_HINT)], {
      error: QUANTITY_HINT,
    })
    .meta({
      "x-kubernetes-int-or-string": true,
      pattern: QUANTITY_PATTERN.source,
      maxLength: QUANTITY_MAX_LENGTH,
    }),
  [
    {
      cel: "type(self) == string || self >= 0",
      holds: (quantity) => parseQuantity(quantity) !== undefined,
      message: QUANTITY_HINT,
    },
  ],
);

/** One key of a Secret or ConfigMap in the same namespace. */
export const keySelectorSchema = z.strictObject({
  name: dnsSubdomain().describe("Name of the object"),
  key: dataKey().describe("Key in its data"),
});

const optionalKeySelectorSchema = keySelectorSchema.extend({
  optional: z.boolean().optional().describe("Whether the object or key may be missing"),
});

export const localObjectReferenceSchema = z.strictObject({
  name: dnsSubdomain().describe("Name of the object"),
});

const envVarSourceSchema = withRules(
  z.strictObject({
    configMapKeyRef: optionalKeySelectorSchema.optional().describe("A key of a ConfigMap"),
    secretKeyRef: optionalKeySelectorSchema.optional().describe("A key of a Secret"),
    fieldRef: z
      .strictObject({
        apiVersion: text(63).optional().describe("Version of the field path; v1 if unset"),
        fieldPath: text(512).describe("Path of the field, like metadata.name"),
      })
      .optional()
      .describe("A field of the pod"),
    resourceFieldRef: z
      .strictObject({
        containerName: text(63).optional().describe("Name of the container"),
        resource: text(63).describe("The resource, like limits.memory"),
        divisor: quantitySchema.optional().describe("Unit in which the value is given"),
      })
      .optional()
      .describe("A resource of the container"),
  }),
  [
    {
      cel: "[has(self.configMapKeyRef), has(self.secretKeyRef), has(self.fieldRef), has(self.resourceFieldRef)].filter(one, one).size() == 1",
      holds: (source) =>
        [
          source.configMapKeyRef,
          source.secretKeyRef,
          source.fieldRef,
          source.resourceFieldRef,
        ].filter((one) => one !== undefined).length === 1,
      message: "needs exactly one of configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef",
    },
  ],
);

export const envVarSchema = withRules(
  z.strictObject({
    name: pattern(
      253,
      /^[-._a-zA-Z][-._a-zA-Z0-9]*$/,
      'must be of letters, digits, "_", "-" and ".", and not begin with a digit',
    ).describe("Name of the variable"),
    value: pattern(ENV_VALUE_MAX_LENGTH, NO_NULL_CHARACTER, "must not hold the character U+0000")
      .optional()
      .describe("Its value"),
    valueFrom: envVarSourceSchema.optional().describe("Where its value is taken from"),
  }),
  [
    {
      cel: `!self.name.startsWith('${RESERVED_ENV_PREFIX}') || self.name.startsWith('${SETTABLE_ENV_PREFIX}')`,
      holds: ({ name }) =>
        typeof name !== "string" ||
        !name.startsWith(RESERVED_ENV_PREFIX) ||
        name.startsWith(SETTABLE_ENV_PREFIX),
      path: ["name"],
      message: `names that begin with ${RESERVED_ENV_PREFIX} are set by Omnia itself; choose another`,
    },
    {
      cel: "!has(self.value) || self.value.size() == 0 || !has(self.valueFrom)",
      holds: ({ value, valueFrom }) => !value || valueFrom === undefined,
      path: ["valueFrom"],
      message: "must not stand beside value; remove one of the two",
      reason: "FieldValueForbidden",
    },
  ],
);

export const envSchema = listByKey(envVarSchema, "name", ENV_MAX_ITEMS);

const MAX_RESOURCES = 16;
const resourceListSchema = mapOf(quantitySchema, MAX_RESOURCES);

export const resourceRequirementsSchema = withRules(
  z.strictObject({
    limits: resourceListSchema.optional().describe("The most that the container may use"),
    requests: resourceListSchema.optional().describe("What the container is sure to get"),
    claims: listByKey(
      z.strictObject({
        name: text(253).describe("Name of the pod's resource claim"),
        request: text(253).optional().describe("One request of the claim"),
      }),
      "name",
      16,
    )
      .optional()
      .describe("Resource claims that the container uses"),
  }),
  [
    {
      cel: "!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || !isQuantity(string(self.requests[name])) || !isQuantity(string(self.limits[name])) || quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) <= 0)",
      holds: ({ requests = {}, limits = {} }) =>
        Object.entries(requests).every(([name, requested]) => {
          const limit = limits[name];
          const [low, high] = [parseQuantity(requested), parseQuantity(limit ?? "")];
          return low === undefined || high === undefined || low <= high;
        }),
      path: ["requests"],
      message: "a request is greater than its limit",
    },
  ],
);

export const tolerationSchema = z.strictObject({
  key: z.string().max(317).optional().describe("Key of the taint; all keys if unset"),
  operator: z.enum(["Exists", "Equal"]).optional().describe("How the value is compared"),
  value: z.string().max(63).optional().describe("Value of the taint"),
  effect: z
    .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
    .optional()
    .describe("Effect of the taint; all effects if unset"),
  tolerationSeconds: int32(-2_147_483_648)
    .optional()
    .describe("How long a NoExecute taint is borne"),
});

export const tolerationsSchema = atomicList(tolerationSchema, 64);
export const imagePullSecretsSchema = listByKey(localObjectReferenceSchema, "name", 16);

export type EnvVar = z.output<typeof envVarSchema>;
export type KeySelector = z.output<typeof keySelectorSchema>;
export type LocalObjectReference = z.output<typeof localObjectReferenceSchema>;
export type ResourceRequirements = z.output<typeof resourceRequirementsSchema>;
export type Toleration = z.output<typeof tolerationSchema>;
