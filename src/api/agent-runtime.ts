/** AgentRuntime: one agent, with its model, prompts, tools, sessions and replicas. */
import { z } from "zod";
import { SESSION_STORES } from "./choices.ts";
import { affinitySchema } from "./fields/affinity.ts";
import { autoscalingSchema } from "./autoscaling.ts";
import { budgetSchema } from "./budget.ts";
import { conditionsSchema, observedGenerationSchema } from "./conditions.ts";
import {
  envSchema,
  imagePullSecretsSchema,
  keySelectorSchema,
  type KeySelector,
  resourceRequirementsSchema,
  tolerationsSchema,
} from "./fields/pod-fields.ts";
import { namesRuntime, RUNTIME_SOURCES } from "./runtime-variables.ts";
import { durationField } from "./fields/duration.ts";
import { facadeSchema } from "./facade.ts";
import { int32, listByKey, mapOf, stringMap, text } from "./fields/types.ts";
import { AGENT_RUNTIME, API_VERSION } from "./group.ts";
import {
  dnsLabel,
  dnsSubdomain,
  dnsSubdomainOrEmpty,
  labelValue,
  metadataSchema,
  serviceName,
} from "./fields/names.ts";
import { type Provider, providerSchema, providerSecretRefSchema } from "./provider.ts";
import { podTemplateSchema } from "./pod-template.ts";
import { type Rule, withRules } from "./fields/rule.ts";

/** A registry has no more entries than this. */
const MAX_CREDENTIALS = 128;

const promptPackRefSchema = z.strictObject({
  name: dnsSubdomain().describe("Name of the PromptPack"),
  namespace: dnsLabel().optional().describe("Its namespace; the agent's own if unset"),
  prompt: text(256)
    .optional()
    .describe('Which prompt of the pack; the only one, else "default", if unset'),
  variables: stringMap(256, 65_536).optional().describe("Values for the prompt's variables"),
});

const toolRegistryRefSchema = z.strictObject({
  name: dnsSubdomainOrEmpty().optional().describe("Name of the ToolRegistry; no tools if unset"),
  namespace: dnsLabel().optional().describe("Its namespace; the agent's own if unset"),
  credentials: listByKey(
    z.strictObject({
      tool: text(253).describe("Name of the tool"),
      secretRef: keySelectorSchema.describe(
        "Key of a Secret in the agent's namespace, sent as the bearer token of every call",
      ),
    }),
    "tool",
    MAX_CREDENTIALS,
  )
    .optional()
    .describe(
      "Credentials for tools, in place of the registry's authSecretRef; the only ones for a registry of another namespace",
    ),
});

const sessionSchema = withRules(
  z.strictObject({
    type: z.enum(SESSION_STORES).default("memory").describe("Where sessions are kept"),
    ttl: durationField("1ms", "8760h")
      .default("1h")
      .describe("How long a session is kept after its last activity"),
    storeRef: keySelectorSchema
      .optional()
      .describe(
        "Key of a Secret that holds the URL of a Redis (redis://, redis+sentinel:// or redis+cluster://, rediss for TLS), and under ca.crt the authority to trust, if it needs one; required for redis",
      ),
  }),
  [
    {
      cel: "!has(self.type) || self.type != 'redis' || has(self.storeRef)",
      holds: ({ type, storeRef }) => type !== "redis" || storeRef !== undefined,
      path: ["storeRef"],
      message: 'required when session.type is "redis"',
      reason: "FieldValueRequired",
    },
  ],
);

const specFields = z.strictObject({
  replicas: int32(0)
    .default(1)
    .describe(
      "How many replicas run; set by the autoscaler while autoscaling is on, so leave it out then",
    ),
  provider: providerSchema
    .optional()
    .describe(
      "The model; required for handler runtime, unless image or a variable OMNIA_RUNTIME… is set",
    ),
  providerSecretRef: providerSecretRefSchema
    .optional()
    .describe("The older spelling of provider.apiKeySecretRef"),
  promptPackRef: promptPackRefSchema
    .optional()
    .describe("The prompts; required for handler runtime"),
  toolRegistryRef: toolRegistryRefSchema.optional().describe("The tools"),
  facade: facadeSchema.prefault({}).describe("How clients reach the agent"),
  session: sessionSchema.prefault({}).describe("How conversations are remembered"),
  budget: budgetSchema
    .optional()
    .describe("How many tokens the model may use; only handler runtime uses any"),
  resources: resourceRequirementsSchema.optional().describe("CPU and memory of a replica"),
  env: envSchema.optional().describe("More environment variables of a replica"),
  autoscaling: autoscalingSchema.optional().describe("Replicas that follow the load"),
  nodeSelector: mapOf(labelValue(), 64).optional().describe("Labels of the nodes to run on"),
  tolerations: tolerationsSchema.optional().describe("Taints of nodes that are borne"),
  affinity: affinitySchema.optional().describe("Where replicas like to run"),
  image: text(1024).optional().describe("Another container image for the replicas"),
  imagePullSecrets: imagePullSecretsSchema
    .optional()
    .describe("Secrets with which the image is pulled"),
  podTemplate: podTemplateSchema.optional().describe("What else the pods of the agent have"),
});

type SpecFields = z.output<typeof specFields>;

const isRuntime = ({ facade }: SpecFields) => facade?.handler === "runtime";
const OTHER_HANDLER =
  "(has(self.facade) && has(self.facade.handler) && self.facade.handler != 'runtime')";
const NO_PROVIDER = "!has(self.provider)";
const NO_SECRET_REF = `${NO_PROVIDER} || !has(self.provider.apiKeySecretRef)`;
const NO_TOKEN_LIMIT_FIELD = `${NO_PROVIDER} || !has(self.provider.parameters) || !has(self.provider.parameters.tokenLimitField)`;
const NEEDED = 'required when facade.handler is "runtime" (the default)';
const NEEDED_OR_OTHER_HANDLER = `${NEEDED}; handlers "demo" and "echo" need none`;

const RUNTIME_SOURCE_LIST = `[${RUNTIME_SOURCES.map((name) => `'${name}'`).join(", ")}]`;
/** Where one of these is given, a runtime in another framework may answer, which may know its model by itself. */
const MAY_NAME_RUNTIME = `has(self.image) || (has(self.env) && self.env.exists(one, one.name in ${RUNTIME_SOURCE_LIST}))`;

/** Whether a runtime in another framework may answer in place of the provider. */
export function mayNameRuntime({ image, env }: Pick<SpecFields, "image" | "env">): boolean {
  return image !== undefined || namesRuntime(env);
}

/** Something that only handler `runtime` needs: `cel` and `holds` say when that handler has it. */
function neededForRuntime(
  path: readonly string[],
  cel: string,
  holds: (spec: SpecFields) => boolean,
  message = NEEDED,
): Rule<SpecFields> {
  return {
    cel: `${OTHER_HANDLER} || ${cel}`,
    holds: (spec) => !isRuntime(spec) || holds(spec),
    path,
    message,
    reason: "FieldValueRequired",
  };
}

export const agentRuntimeSpecSchema = withRules(specFields, [
  neededForRuntime(
    ["provider"],
    `has(self.provider) || ${MAY_NAME_RUNTIME}`,
    (spec) => spec.provider !== undefined || mayNameRuntime(spec),
    NEEDED_OR_OTHER_HANDLER,
  ),
  neededForRuntime(
    ["provider", "name"],
    `${NO_PROVIDER} || has(self.provider.name)`,
    ({ provider }) => provider === undefined || provider.name !== undefined,
  ),
  neededForRuntime(
    ["provider", "model"],
    `${NO_PROVIDER} || has(self.provider.model)`,
    ({ provider }) => provider === undefined || provider.model !== undefined,
  ),
  neededForRuntime(
    ["provider", "apiKeySecretRef"],
    `${NO_PROVIDER} || has(self.provider.apiKeySecretRef) || has(self.providerSecretRef)`,
    ({ provider, providerSecretRef }) =>
      provider === undefined ||
      provider.apiKeySecretRef !== undefined ||
      providerSecretRef !== undefined,
  ),
  neededForRuntime(
    ["provider", "apiKeySecretRef", "name"],
    `${NO_SECRET_REF} || has(self.provider.apiKeySecretRef.name)`,
    ({ provider: { apiKeySecretRef } = {} }) =>
      apiKeySecretRef === undefined || apiKeySecretRef.name !== undefined,
  ),
  neededForRuntime(
    ["provider", "apiKeySecretRef", "key"],
    `${NO_SECRET_REF} || has(self.provider.apiKeySecretRef.key)`,
    ({ provider: { apiKeySecretRef } = {} }) =>
      apiKeySecretRef === undefined || apiKeySecretRef.key !== undefined,
  ),
  {
    cel: `!has(self.providerSecretRef) || ${NO_SECRET_REF}`,
    holds: ({ provider, providerSecretRef }) =>
      providerSecretRef === undefined || provider?.apiKeySecretRef === undefined,
    path: ["providerSecretRef"],
    message: "says the same as provider.apiKeySecretRef; remove one of the two",
    reason: "FieldValueForbidden",
  },
  {
    cel: `${OTHER_HANDLER} || ${NO_PROVIDER} || !has(self.provider.api) || !has(self.provider.name) || self.provider.name == 'openai'`,
    holds: (spec) => {
      const { name, api } = spec.provider ?? {};
      return !isRuntime(spec) || api === undefined || name === undefined || name === "openai";
    },
    path: ["provider", "api"],
    message: 'only provider "openai" has more than one API; remove it',
    reason: "FieldValueForbidden",
  },
  {
    cel: `${OTHER_HANDLER} || ${NO_TOKEN_LIMIT_FIELD} || self.provider.parameters.tokenLimitField == 'auto' || !has(self.provider.name) || self.provider.name == 'openai'`,
    holds: (spec) => {
      const { name, parameters } = spec.provider ?? {};
      const { tokenLimitField = "auto" } = parameters ?? {};
      return (
        !isRuntime(spec) || tokenLimitField === "auto" || name === undefined || name === "openai"
      );
    },
    path: ["provider", "parameters", "tokenLimitField"],
    message: 'only provider "openai" has more than one name for it; remove it',
    reason: "FieldValueForbidden",
  },
  {
    cel: `!has(self.env) || self.env.filter(one, one.name in ${RUNTIME_SOURCE_LIST}).size() <= 1`,
    holds: ({ env = [] }) => env.filter((one) => namesRuntime([one])).length <= 1,
    path: ["env"],
    message: `${RUNTIME_SOURCES.join(", ")} each name a runtime; set one of them`,
    reason: "FieldValueForbidden",
  },
  neededForRuntime(
    ["promptPackRef"],
    "has(self.promptPackRef)",
    ({ promptPackRef }) => promptPackRef !== undefined,
    NEEDED_OR_OTHER_HANDLER,
  ),
]);

const count = () => int32(0).optional();

/** Where an agent stands. */
export const AGENT_PHASES = ["Pending", "Running", "Failed"] as const;
export type AgentPhase = (typeof AGENT_PHASES)[number];

export const agentRuntimeStatusSchema = z.object({
  phase: z.enum(AGENT_PHASES).optional().describe("Where the agent stands"),
  replicas: count().describe("Replicas that exist"),
  readyReplicas: count().describe("Replicas that are ready"),
  availableReplicas: count().describe("Replicas that are available"),
  ready: z.string().max(32).optional().describe("Ready and wanted replicas, like 2/3"),
  selector: z.string().max(1024).optional().describe("Label selector of the replicas"),
  observedGeneration: observedGenerationSchema,
  promptPackVersion: z.string().max(64).optional().describe("Version of the pack in use"),
  endpoint: z.string().max(2048).optional().describe("Where clients connect"),
  conditions: conditionsSchema.optional().describe("What holds, and why not"),
});

export const agentRuntimeSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(AGENT_RUNTIME),
  metadata: metadataSchema(serviceName("a Service is named after it")),
  spec: agentRuntimeSpecSchema,
  status: agentRuntimeStatusSchema.optional(),
});

export type AgentRuntime = z.output<typeof agentRuntimeSchema>;
export type AgentRuntimeSpec = z.output<typeof agentRuntimeSpecSchema>;
export type AgentRuntimeStatus = z.output<typeof agentRuntimeStatusSchema>;
export type PromptPackRef = z.output<typeof promptPackRefSchema>;

/** Everything that handler `runtime` needs. The two ways to write the Secret of the API key have become one. */
export interface RuntimeSpec {
  /** Undefined where a runtime in another framework brings its own. */
  provider: RuntimeProvider | undefined;
  promptPackRef: PromptPackRef;
}

export type RuntimeProvider = Pick<Provider, "baseURL" | "api" | "parameters" | "prices"> & {
  name: NonNullable<Provider["name"]>;
  model: string;
  apiKeySecretRef: KeySelector;
};

/** Returns `undefined` for the other handlers, and when something that handler `runtime` needs is missing. */
export function runtimeSpecOf(spec: AgentRuntimeSpec): RuntimeSpec | undefined {
  const { provider, promptPackRef, providerSecretRef } = spec;
  if (!isRuntime(spec) || !promptPackRef) return undefined;
  if (provider === undefined) {
    return mayNameRuntime(spec) ? { provider: undefined, promptPackRef } : undefined;
  }
  const { name, key } = provider.apiKeySecretRef ?? providerSecretRef ?? {};
  if (!provider.name || !provider.model || !name || !key) return undefined;
  return {
    provider: {
      ...provider,
      name: provider.name,
      model: provider.model,
      apiKeySecretRef: { name, key },
    },
    promptPackRef,
  };
}

/** The ToolRegistry that an agent names; an empty reference names none. */
export function toolRegistryNameOf(
  spec: AgentRuntimeSpec,
): { name: string; namespace: string | undefined } | undefined {
  const { name, namespace } = spec.toolRegistryRef ?? {};
  return name ? { name, namespace } : undefined;
}
