/** ToolRegistries in the HTTP API, and calls of their tools. */
import { z } from "zod";
import { conditionViewSchema, eventViewSchema, explainViewSchema } from "./resource-views.ts";

export const toolViewSchema = z.object({
  name: z.string(),
  type: z.string(),
  /** The entry of the registry that it comes from, where one entry gives many tools. */
  server: z.string().optional(),
  description: z.string(),
  inputSchema: z.record(z.string(), z.unknown()),
  /** Only the list of its server has its description and its arguments, which the gateway of a cluster does not read. */
  isDescribedByServer: z.boolean().optional(),
  available: z.boolean(),
  /** Why it is not available. */
  reason: z.string().optional(),
  message: z.string().optional(),
  address: z.string(),
  /** The agents that may call it, as `namespace/name`. */
  agents: z.array(z.string()),
  /** It may change things: whoever calls it by hand types its name first. */
  destructive: z.boolean().optional(),
  approval: z.enum(["never", "always", "arguments"]).optional(),
});

export const toolRegistryViewSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  phase: z.string(),
  discoveredTools: z.int(),
  availableTools: z.int(),
  explain: explainViewSchema.optional(),
  createdAt: z.string().optional(),
});

export const toolRegistryDetailSchema = toolRegistryViewSchema.extend({
  tools: z.array(toolViewSchema),
  conditions: z.array(conditionViewSchema),
  events: z.array(eventViewSchema),
  manifest: z.string(),
});

export const toolCallRequestSchema = z.strictObject({
  arguments: z.record(z.string(), z.unknown()),
  /** Written into the log of the replica. */
  reason: z.string().max(4_096).optional(),
});

export const toolCallAnswerSchema = z.object({
  result: z.unknown().optional(),
  error: z.string().optional(),
  ms: z.number(),
  replica: z.string(),
});

export type ToolView = z.output<typeof toolViewSchema>;
export type ToolRegistryView = z.output<typeof toolRegistryViewSchema>;
export type ToolRegistryDetail = z.output<typeof toolRegistryDetailSchema>;
export type ToolCallRequest = z.output<typeof toolCallRequestSchema>;
export type ToolCallAnswer = z.output<typeof toolCallAnswerSchema>;
