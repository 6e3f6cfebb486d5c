/**
 * The agent config: the one value that passes from the control plane to the data plane. The control plane writes it, as a
 * ConfigMap in a cluster and as a file on one machine. The agent reads it and follows its changes. It contains no secrets but
 * the paths of secret files, which are beside it.
 */
import { z } from "zod";
import { evalSchema } from "../promptpack/document/evals.ts";
import {
  HANDLER_NAMES,
  PROVIDER_APIS,
  PROVIDER_NAMES,
  SESSION_STORES,
  TOKEN_LIMIT_FIELDS,
  TOOL_APPROVALS,
  TOOL_AUTH_TYPES,
  TOOL_FORWARDS,
  MCP_TRANSPORTS,
  TOOL_METHODS,
  TOOL_TYPES,
} from "../api/choices.ts";
import { openApiOperationSchema } from "./openapi-operation.ts";

import { TURN_BINDINGS } from "../promptpack/document/binding.ts";
import {
  MAX_VALIDATORS,
  validatorConfigSchema,
} from "../promptpack/validators/validator-config.ts";

export { HANDLER_NAMES } from "../api/choices.ts";
export { MANAGEMENT_PORT } from "../api/group.ts";

export const AGENT_CONFIG_VERSION = 1;
/** Where an agent finds its config unless OMNIA_CONFIG says otherwise. */
export const AGENT_CONFIG_PATH = "/etc/omnia/agent.json";
/** Public keys of gateways. Two count while one key follows the other. */
export const MAX_GATEWAY_KEYS = 4;
/** The variable of an agent's process that holds the name of the replica, where that is not the name of the machine. */
export const REPLICA_VARIABLE = "OMNIA_REPLICA_NAME";
/** The folder of the secret files. It is in the folder of the config. */
export const SECRETS_FOLDER = "secrets";

/** Sampling parameters, spelled as in the AgentRuntime. The provider decides about those that are not set. */
export const parametersSchema = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  maxTokens: z.int().min(1).optional(),
  topP: z.number().min(0).max(1).optional(),
  topK: z.int().min(1).optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
  seed: z.int().optional(),
  stopSequences: z.array(z.string().min(1)).max(16).optional(),
});

const providerConfigSchema = z.strictObject({
  name: z.enum(PROVIDER_NAMES),
  model: z.string().min(1),
  baseURL: z.string().optional(),
  /** Which API of OpenAI is called. */
  api: z.enum(PROVIDER_APIS).optional(),
  /** These take precedence over the parameters of the pack. */
  parameters: parametersSchema,
  /** The name of the token limit in a chat completion. Without it the agent finds out which one the server takes. */
  tokenLimitField: z.enum(TOKEN_LIMIT_FIELDS).optional(),
  /** A path relative to the folder of the config. The file contains the key and nothing else. */
  apiKeyFile: z.string(),
  prices: z
    .strictObject({
      inputPerMillionTokens: z.number().min(0),
      outputPerMillionTokens: z.number().min(0),
      /** That of input, if unset. */
      cachedInputPerMillionTokens: z.number().min(0).optional(),
      currency: z.string(),
    })
    .optional(),
});

/** How many tokens the model may use. A day begins at midnight UTC. */
const budgetConfigSchema = z.strictObject({
  maxTokensPerTurn: z.int().min(1).optional(),
  maxTokensPerSession: z.int().min(1).optional(),
  maxTokensPerDay: z.int().min(1).optional(),
});

export const toolConfigSchema = z.strictObject({
  /** The name of the tool for the model. */
  name: z.string(),
  /** The name of the entry in the ToolRegistry. */
  registryName: z.string(),
  type: z.enum(TOOL_TYPES),
  description: z.string(),
  url: z.string(),
  method: z.enum(TOOL_METHODS),
  /** A JSON Schema object. */
  inputSchema: z.record(z.string(), z.unknown()),
  timeoutMs: z.int().min(1),
  retries: z.int().min(0),
  headers: z.record(z.string(), z.string()),
  /** A path relative to the folder of the config. The content of the file is sent as `authType` says. */
  authFile: z.string().optional(),
  /** `bearer` if unset. For `basic` the file has `user:password`. */
  authType: z.enum(TOOL_AUTH_TYPES).optional(),
  /** The header that has the credential, where `authType` is `header`. */
  authHeader: z.string().optional(),
  /** Bytes of an answer that are handed to the model. */
  responseLimit: z.int().min(1).optional(),
  /** Calls that may run at a time, of one replica. */
  maxParallel: z.int().min(1).optional(),
  /** Which addresses it may have, besides public ones, as network/address-verdict.ts describes it. Without it no other. */
  allowedAddresses: z.array(z.string()).optional(),
  /** Only these tools of an mcp, openapi or grpc server may be called. */
  allow: z.array(z.string()).optional(),
  /** These tools of an mcp, openapi or grpc server may not be called. */
  block: z.array(z.string()).optional(),
  /** What each call tells of its caller, signed with the credential of `authFile`, as tool-caller.ts describes it. */
  forward: z.array(z.enum(TOOL_FORWARDS)).optional(),
  /** How an mcp server is spoken to: over http if unset. `command` and `env` are for stdio, which has no url. */
  mcp: z
    .strictObject({
      transport: z.enum(MCP_TRANSPORTS),
      command: z.array(z.string()).optional(),
      env: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  /** Whether the user is asked before a call: always, or where the arguments match the JSON Schema. Without it never. */
  approval: z
    .union([
      z.enum(TOOL_APPROVALS),
      z.strictObject({ arguments: z.record(z.string(), z.unknown()) }),
    ])
    .optional(),
  /** `descriptorSet` is base64. Without it the server is asked by reflection. `services` are full names; without it all. */
  grpc: z
    .strictObject({
      descriptorSet: z.string().optional(),
      services: z.array(z.string()).optional(),
    })
    .optional(),
  /** Only for an openapi server, whose document is at `url`. */
  openapi: z
    .strictObject({
      /** Where its operations are, in place of what its document says: a URL, or a path where the document is. */
      server: z.string().optional(),
      /** What its document offers, as far as it is allowed. Unset while the document was not read. */
      operations: z.array(openApiOperationSchema).optional(),
    })
    .optional(),
});

const skillConfigSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  instructions: z.string(),
  /** Where it is in the pack, with "." in place of "/". A skill that the pack writes out has no path. */
  path: z.string().optional(),
  /** It is a part of every prompt, and not loaded on demand. */
  preload: z.boolean().optional(),
  /** Its other files: name to text. */
  files: z.record(z.string(), z.string()).optional(),
});

/** One prompt of a pack. A session may come to several of them. */
const stepConfigSchema = z.strictObject({
  prompt: z.string(),
  /** The rendered system prompt, with its fragments and variables filled in. */
  system: z.string(),
  /** Places in `system` that a turn fills with what is known of its session, as promptpack/render/bound-text.ts describes them. */
  bindings: z
    .array(
      z.strictObject({
        marker: z.string(),
        source: z.enum(TURN_BINDINGS),
        filter: z.string().optional(),
        fallback: z.string(),
      }),
    )
    .optional(),
  parameters: parametersSchema,
  toolChoice: z.enum(["auto", "required", "none"]),
  maxRounds: z.int().min(1),
  maxToolCallsPerTurn: z.int().min(1),
  /** Tools of the pack itself, such as the one that loads skills, that this prompt does not offer. */
  blockedPackTools: z.array(z.string()).optional(),
  /** What messages and answers are checked for. */
  validators: z.array(validatorConfigSchema).max(MAX_VALIDATORS).optional(),
  /**
   * The tools of this prompt, if they are other ones: those of a canary or an earlier version than the `tools` of the agent, and those
   * of another prompt than the tools of the version that it belongs to.
   */
  tools: z.array(toolConfigSchema).optional(),
});

const workflowConfigSchema = z.strictObject({
  entry: z.string(),
  states: z.record(
    z.string(),
    z.strictObject({
      prompt: z.string(),
      description: z.string().optional(),
      /** Event to state. */
      events: z.record(z.string(), z.string()),
      maxVisits: z.int().min(1).optional(),
      onMaxVisits: z.string().optional(),
      /** `none`, or the folder of the skills that the state has. Without it the state has all of them. */
      skills: z.string().optional(),
    }),
  ),
  budget: z
    .strictObject({
      maxTotalVisits: z.int().min(1).optional(),
      maxToolCalls: z.int().min(1).optional(),
      maxWallTimeSec: z.int().min(1).optional(),
    })
    .optional(),
});

/** What a version of a pack gives: the prompt of a new session, and what belongs to the whole pack. */
const promptConfigSchema = stepConfigSchema.extend({
  pack: z.string(),
  /** The content hash of the pack, 12 hex digits. */
  version: z.string(),
  semver: z.string(),
  /** What the model may load, or is told in any case. */
  skills: z.array(skillConfigSchema).optional(),
  /**
   * Evals of the prompt that are run on its turns, as they are written in the pack. `samplePercentage` is in place of what each of
   * them says.
   */
  evals: z
    .strictObject({
      samplePercentage: z.int().min(1).max(100).optional(),
      written: z.array(evalSchema),
    })
    .optional(),
  /** The other prompts that a session may come to, by their keys in the pack. */
  others: z.record(z.string(), stepConfigSchema).optional(),
  /** Which prompt a session has when. */
  workflow: workflowConfigSchema.optional(),
  /** Prompts that are asked as tools: what each is for, and the members that each prompt may ask. */
  agents: z
    .strictObject({
      members: z.record(z.string(), z.string()),
      asks: z.record(z.string(), z.array(z.string())),
    })
    .optional(),
});

const authConfigSchema = z.strictObject({
  jwt: z
    .strictObject({
      issuer: z.string(),
      jwksUri: z.string().optional(),
      audiences: z.array(z.string()),
      requiredClaims: z.record(z.string(), z.string()),
    })
    .optional(),
  /** A folder, relative to that of the config. Each file in it contains the key of one client, which has the name of the file. */
  apiKeysFolder: z.string().optional(),
  /** The name of the Secret of these keys. A client of the same name in another Secret is another client. */
  apiKeysSecret: z.string().optional(),
});

const KIBIBYTE = 1024;
const HOUR_MS = 3_600_000;

/** The limits of one replica. Each of them may be left out, and then has a default. A change is in force at once. */
const limitsConfigSchema = z.strictObject({
  /** WebSocket connections. A connection beyond the limit is refused with 503 before the upgrade. */
  maxConnections: z.int().min(1).max(100_000).optional(),
  /**
   * Frames that one connection may send each second over a long time, not counting those that it sends when it has all its
   * answers. Frames beyond this limit and the next one are answered with RATE_LIMITED.
   */
  messagesPerSecond: z.number().min(0.1).max(10_000).optional(),
  /** Such frames that one connection may send at once. */
  messageBurst: z.int().min(1).max(100_000).optional(),
  /** Sessions that one connection may follow at a time. */
  maxSessionsPerConnection: z.int().min(1).max(1_000).optional(),
  /** Bytes that may wait for one client to read them. Beyond the limit the client's turn waits. */
  maxUnsentBytes: z
    .int()
    .min(16 * KIBIBYTE)
    .max(64 * KIBIBYTE * KIBIBYTE)
    .optional(),
  /** After this long beyond the limit, the connection of the client is closed with 1013. */
  maxUnsentMs: z.int().min(100).max(HOUR_MS).optional(),
  /** Turns that may run at a time. */
  maxTurnsInFlight: z.int().min(1).max(10_000).optional(),
  /** Turns that may wait for one of those to end. A message beyond the limit is answered with UNAVAILABLE. */
  maxQueuedTurns: z.int().min(0).max(10_000).optional(),
  /** How long a turn may wait. After that its message is answered with UNAVAILABLE as well. */
  maxQueueMs: z.int().min(1).max(HOUR_MS).optional(),
  /** The tokens, about, of the earlier turns that a model is told of. It is told of the newest ones, each as a whole. */
  maxHistoryTokens: z.int().min(0).max(10_000_000).optional(),
  /**
   * What the sessions of one client may take in the session store, about, in bytes. A client is a subject, or an address where
   * nobody is authenticated. Past it the sessions that the client did not use for the longest time are forgotten.
   */
  maxSessionBytesPerClient: z
    .int()
    .min(KIBIBYTE * KIBIBYTE)
    .max(KIBIBYTE ** 4)
    .optional(),
});

export const agentConfigSchema = z.strictObject({
  version: z.literal(AGENT_CONFIG_VERSION),
  agent: z.strictObject({ name: z.string(), namespace: z.string() }),
  handler: z.enum(HANDLER_NAMES),
  facade: z.strictObject({
    port: z.int().min(0).max(65_535),
    allowedOrigins: z.array(z.string()).optional(),
    auth: authConfigSchema.optional(),
  }),
  session: z.strictObject({
    type: z.enum(SESSION_STORES),
    ttlMs: z.int().min(1),
    /** A path relative to the folder of the config. The file contains a URL as agent-config/store-url.ts describes it. */
    storeURLFile: z.string().optional(),
    /** The path of a file with the authorities (PEM) to trust in place of the system's. There may be no such file. */
    storeCAFile: z.string().optional(),
  }),
  /** Only for handler `runtime`. */
  provider: providerConfigSchema.optional(),
  /** Only for handler `runtime`. */
  budget: budgetConfigSchema.optional(),
  /**
   * Only for handler `runtime`. The canary gets `weight` percent of the new sessions, chosen by session id. `earlier` are the prompts of
   * versions that are neither active nor a canary any more and that sessions may still have; where it is not set, no session keeps
   * its version.
   */
  prompt: z
    .strictObject({
      active: promptConfigSchema,
      canary: z
        .strictObject({
          weight: z.int().min(0).max(100),
          prompt: promptConfigSchema,
          /** Names the step of its trial. What the agent counts of the version begins anew with another one. */
          trial: z.string().optional(),
        })
        .optional(),
      earlier: z.array(promptConfigSchema).optional(),
    })
    .optional(),
  tools: z.array(toolConfigSchema),
  limits: limitsConfigSchema.optional(),
  /**
   * The gateways that the agent believes, as gateway-token.ts describes it: each key is base64 of a SubjectPublicKeyInfo (DER). Without
   * it the agent serves WebSocket connections alone.
   */
  gateway: z
    .strictObject({ publicKeys: z.array(z.string()).min(1).max(MAX_GATEWAY_KEYS) })
    .optional(),
  /** Only in a cluster, as config-signature.ts describes it. `secretFiles` is a digest, `value` is base64. */
  signature: z
    .strictObject({ uid: z.string(), secretFiles: z.string(), value: z.string() })
    .optional(),
});

export type Parameters = z.output<typeof parametersSchema>;
export type ProviderConfig = z.output<typeof providerConfigSchema>;
export type Prices = NonNullable<ProviderConfig["prices"]>;
export type BudgetConfig = z.output<typeof budgetConfigSchema>;
export type PromptConfig = z.output<typeof promptConfigSchema>;
export type StepConfig = z.output<typeof stepConfigSchema>;
export type WorkflowConfig = z.output<typeof workflowConfigSchema>;
export type SkillConfig = z.output<typeof skillConfigSchema>;
export type ToolConfig = z.output<typeof toolConfigSchema>;
export type LimitsConfig = z.output<typeof limitsConfigSchema>;
export type AuthConfig = z.output<typeof authConfigSchema>;
export type AgentConfig = z.output<typeof agentConfigSchema>;
export type TokenLimitField = (typeof TOKEN_LIMIT_FIELDS)[number];
export type ProviderName = (typeof PROVIDER_NAMES)[number];
export type HandlerName = (typeof HANDLER_NAMES)[number];
