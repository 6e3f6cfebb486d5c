/** What a runtime sends, read from the JSON form of its messages, in which an empty field is left out. */
import { z } from "zod";

const text = z.string().default("");
const count = z.number().int().min(0).default(0);

const chunkSchema = z.object({ content: text, role: text });
const toolCallSchema = z.object({
  id: text,
  name: text,
  argumentsJson: text,
  execution: z.unknown().optional(),
});
const toolResultSchema = z.object({
  id: text,
  resultJson: text,
  isError: z.boolean().default(false),
});
const usageSchema = z.object({ inputTokens: count, outputTokens: count });
const doneSchema = z.object({
  finalContent: text,
  usage: usageSchema.optional(),
  parts: z.array(z.object({ type: text, text })).default([]),
});
const errorSchema = z.object({ code: text });

/** At most one of the fields is set. A message of a kind that an agent has no use for is empty. */
const serverMessageSchema = z.object({
  chunk: chunkSchema.optional(),
  toolCall: toolCallSchema.optional(),
  toolResult: toolResultSchema.optional(),
  done: doneSchema.optional(),
  error: errorSchema.optional(),
});
export type ServerMessage = z.output<typeof serverMessageSchema>;
export type RuntimeToolCall = z.output<typeof toolCallSchema>;
export type RuntimeToolResult = z.output<typeof toolResultSchema>;
export type RuntimeUsage = z.output<typeof usageSchema>;
export type RuntimeDone = z.output<typeof doneSchema>;

export const healthSchema = z.object({ healthy: z.boolean().default(false) });
export const resumeSchema = z.object({ state: z.unknown().optional() });
export const RESUME_NOT_FOUND = "RESUME_STATE_NOT_FOUND";
export const CLIENT_EXECUTION = "TOOL_EXECUTION_CLIENT";

/** A message is not as the contract says. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
}

export function parseServerMessage(json: unknown): ServerMessage {
  const message = serverMessageSchema.safeParse(json);
  if (message.success) return message.data;
  throw new MalformedMessageError(`${message.error.issues[0]?.path.join(".")} is invalid`);
}

/** The whole answer as text, for a runtime that sent no chunks. */
export function textOfDone({ finalContent, parts }: RuntimeDone): string {
  const spoken = parts.filter(({ type }) => type === "text").map((part) => part.text);
  return spoken.join("") || finalContent;
}
