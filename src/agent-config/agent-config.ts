/**
 * The agent config: the one value that passes from control plane to data plane. Control writes it (as a ConfigMap in a
 * cluster, as a file on one machine), the agent reads it and follows its changes. It holds no secret: secrets are
 * files beside it, and it holds their paths.
 */
import { z } from "zod";
import {
  HANDLER_NAMES,
  PROVIDER_APIS,
  PROVIDER_NAMES,
  SESSION_STORES,
  TOOL_METHODS,
  TOOL_TYPES,
} from "../api/choices.ts";

export { HANDLER_NAMES } from "../api/choices.ts";
export { MANAGEMENT_PORT } from "../api/group.ts";

export const AGENT_CONFIG_VERSION = 1;
/** Where an agent finds its config unless OMNIA_CONFIG says otherwise. */
export const AGENT_CONFIG_PATH = "/etc/omnia/agent.json";
/** Folder of the secret files, beside the config wherever that is. */
export const SECRETS_FOLDER = "secrets";

/** Sampling parameters, in the spelling of the AgentRuntime; unset ones are left to the provider. */
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
  /** Which API of OpenAI is spoken. */
  api: z.enum(PROVIDER_APIS).optional(),
  /** Over the pack's parameters. */
  parameters: parametersSchema,
  /** Relative to the folder of the config; the file holds the key and nothing else. */
  apiKeyFile: z.string(),
});

export const toolConfigSchema = z.strictObject({
  /** What the model calls the tool. */
  name: z.string(),
  /** The entry of the ToolRegistry. */
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
  /** Relative to the folder of the config; sent as `Authorization: Bearer …`. */
  authFile: z.string().optional(),
  /** Of an mcp or openapi server: only these of its tools. */
  allow: z.array(z.string()).optional(),
  /** Of an mcp or openapi server: never these of its tools. */
  block: z.array(z.string()).optional(),
});

const promptConfigSchema = z.strictObject({
  pack: z.string(),
  /** Content hash of the pack, 12 hex digits. */
  version: z.string(),
  semver: z.string(),
  prompt: z.string(),
  /** The system prompt, rendered: fragments and variables are in place. */
  system: z.string(),
  parameters: parametersSchema,
  toolChoice: z.enum(["auto", "required", "none"]),
  maxRounds: z.int().min(1),
  maxToolCallsPerTurn: z.int().min(1),
  /** The tools of this prompt, where they are others than the agent's `tools`: a canary may offer its own. */
  tools: z.array(toolConfigSchema).optional(),
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
  /** Folder, relative to the config: every file in it is the key of one client, named after the file. */
  apiKeysFolder: z.string().optional(),
});

const KIBIBYTE = 1024;
const HOUR_MS = 3_600_000;

/** What one replica bears. Every one may be left out, and has a default then; a change is in force at once. */
const limitsConfigSchema = z.strictObject({
  /** WebSocket connections. One more is refused with 503 before the upgrade. */
  maxConnections: z.int().min(1).max(100_000).optional(),
  /** Frames of one connection that it sends without waiting for its answers: so many a second go on for long, … */
  messagesPerSecond: z.number().min(0.1).max(10_000).optional(),
  /** … and so many at once. Past both they are answered with RATE_LIMITED. */
  messageBurst: z.int().min(1).max(100_000).optional(),
  /** Sessions that one connection follows at a time. */
  maxSessionsPerConnection: z.int().min(1).max(1_000).optional(),
  /** What may wait for a client to read it. Past it the client's turn waits, … */
  maxUnsentBytes: z
    .int()
    .min(16 * KIBIBYTE)
    .max(64 * KIBIBYTE * KIBIBYTE)
    .optional(),
  /** … and after so long the connection is closed with 1013. */
  maxUnsentMs: z.int().min(100).max(HOUR_MS).optional(),
  /** Turns that run at a time, … */
  maxTurnsInFlight: z.int().min(1).max(10_000).optional(),
  /** … and those that wait for one of them to end. One more is answered with UNAVAILABLE. */
  maxQueuedTurns: z.int().min(0).max(10_000).optional(),
  /** How long a turn waits at most, before it is answered so too. */
  maxQueueMs: z.int().min(1).max(HOUR_MS).optional(),
  /** What a model is told of the turns before: whole turns, the newest ones, of about so many tokens in all. */
  maxHistoryTokens: z.int().min(0).max(10_000_000).optional(),
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
    /** Relative to the folder of the config; the file holds a URL as agent-config/store-url.ts reads it. */
    storeURLFile: z.string().optional(),
    /** The same for the authorities to trust in place of the system's (PEM). There may be no such file. */
    storeCAFile: z.string().optional(),
  }),
  /** Only for handler `runtime`. */
  provider: providerConfigSchema.optional(),
  /** Only for handler `runtime`. The canary takes `weight` percent of the sessions, chosen by session id. */
  prompt: z
    .strictObject({
      active: promptConfigSchema,
      canary: z
        .strictObject({ weight: z.int().min(0).max(100), prompt: promptConfigSchema })
        .optional(),
    })
    .optional(),
  tools: z.array(toolConfigSchema),
  limits: limitsConfigSchema.optional(),
  /** Only in a cluster, as config-signature.ts describes it. `secretFiles` is a digest, `value` is base64. */
  signature: z
    .strictObject({ uid: z.string(), secretFiles: z.string(), value: z.string() })
    .optional(),
});

export type Parameters = z.output<typeof parametersSchema>;
export type ProviderConfig = z.output<typeof providerConfigSchema>;
export type PromptConfig = z.output<typeof promptConfigSchema>;
export type ToolConfig = z.output<typeof toolConfigSchema>;
export type LimitsConfig = z.output<typeof limitsConfigSchema>;
export type AuthConfig = z.output<typeof authConfigSchema>;
export type AgentConfig = z.output<typeof agentConfigSchema>;
export type ProviderName = (typeof PROVIDER_NAMES)[number];
export type HandlerName = (typeof HANDLER_NAMES)[number];
