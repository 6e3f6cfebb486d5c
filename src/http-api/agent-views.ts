/** AgentRuntimes in the HTTP API. */
import { z } from "zod";
import { conditionViewSchema, eventViewSchema, explainViewSchema } from "./resource-views.ts";

export const replicaViewSchema = z.object({
  name: z.string(),
  ready: z.boolean(),
  phase: z.string(),
  restarts: z.int(),
  /** What its process wrote last before it ended. */
  lastWords: z.string().optional(),
  connections: z.int().optional(),
  turns: z.int().optional(),
  startedAt: z.string().optional(),
  /** Used since midnight UTC: by all replicas where they share a store, else by this one. Set where there is a budget for the day. */
  tokensToday: z.int().optional(),
});

/** The most tokens that an agent may use. */
const budgetViewSchema = z.object({
  maxTokensPerTurn: z.int().optional(),
  maxTokensPerSession: z.int().optional(),
  maxTokensPerDay: z.int().optional(),
  /** What is used of the day, as far as replicas tell. Where each counts for itself, that of the one that used the most. */
  tokensToday: z.int().optional(),
});

/** An agent in a list. */
export const agentViewSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  phase: z.string(),
  ready: z.int(),
  wanted: z.int(),
  handler: z.string(),
  provider: z.string().optional(),
  model: z.string().optional(),
  pack: z
    .object({
      name: z.string(),
      /** What people call it, or the hash of its content. */
      version: z.string(),
      canary: z.object({ version: z.string(), weight: z.number() }).optional(),
    })
    .optional(),
  registry: z.string().optional(),
  sessionStore: z.enum(["memory", "redis"]),
  /** The open connections of all replicas, about. */
  connections: z.int().optional(),
  /** Set while the agent is not as its spec wants it. */
  explain: explainViewSchema.optional(),
  /** Where clients connect, as the caller reaches it. */
  wsUrl: z.string(),
  /** Whether clients have to say who they are. */
  authenticated: z.boolean(),
  /** What the caller may do here. */
  can: z.object({
    chat: z.boolean(),
    sessions: z.boolean(),
    deleteSession: z.boolean(),
    callTool: z.boolean(),
  }),
  createdAt: z.string().optional(),
});

export const agentDetailSchema = agentViewSchema.extend({
  conditions: z.array(conditionViewSchema),
  events: z.array(eventViewSchema),
  replicas: z.array(replicaViewSchema),
  /** Set where the spec has one that counts. */
  budget: budgetViewSchema.optional(),
  /** YAML, without a status and without what only the API server writes. */
  manifest: z.string(),
  /** Prompts of the pack with which a conversation may begin. */
  suggestions: z.array(z.string()),
});

export type BudgetView = z.output<typeof budgetViewSchema>;
export type ReplicaView = z.output<typeof replicaViewSchema>;
export type AgentView = z.output<typeof agentViewSchema>;
export type AgentDetail = z.output<typeof agentDetailSchema>;
