/** The events of AG-UI that say something to an agent. All others are left out. */
import { z } from "zod";
import type { ServerEvent } from "../providers/stream/server-events.ts";

const id = z.string().optional().catch(undefined);

/** Drafts of AG-UI had its type alone. */
const outcomeSchema = z.preprocess(
  (outcome) => (typeof outcome === "string" ? { type: outcome } : outcome),
  z.object({
    type: z.string(),
    interrupts: z
      .array(z.object({ toolCallId: id }))
      .optional()
      .catch(undefined),
  }),
);

/** Adapters differ in which ids they send, so none is required. */
const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("TEXT_MESSAGE_START"), messageId: id, role: id }),
  z.object({ type: z.literal("TEXT_MESSAGE_CONTENT"), messageId: id, delta: z.string() }),
  z.object({ type: z.literal("TEXT_MESSAGE_END") }),
  z.object({
    type: z.literal("TEXT_MESSAGE_CHUNK"),
    messageId: id,
    role: id,
    delta: z.string().nullish(),
  }),
  z.object({ type: z.literal("TOOL_CALL_START"), toolCallId: id, toolCallName: z.string() }),
  z.object({ type: z.literal("TOOL_CALL_ARGS"), toolCallId: id, delta: z.string() }),
  z.object({ type: z.literal("TOOL_CALL_END"), toolCallId: id }),
  z.object({
    type: z.literal("TOOL_CALL_CHUNK"),
    toolCallId: id,
    toolCallName: id,
    delta: z.string().nullish(),
  }),
  z.object({
    type: z.literal("TOOL_CALL_RESULT"),
    toolCallId: z.string(),
    content: z.unknown().optional(),
  }),
  z.object({ type: z.literal("MESSAGES_SNAPSHOT"), messages: z.array(z.unknown()) }),
  z.object({
    type: z.literal("RUN_FINISHED"),
    outcome: outcomeSchema.nullish().catch(undefined),
    usage: z.unknown().optional(),
  }),
  z.object({ type: z.literal("RUN_ERROR"), usage: z.unknown().optional() }),
]);

export type AgUiEvent = z.output<typeof eventSchema>;

const typedSchema = z.object({ type: z.string() });
const KNOWN = new Set<string>(eventSchema.options.map(({ shape }) => shape.type.value));

/** Why an event could not be read. It quotes nothing of it. */
export class UnreadableEventError extends Error {
  override readonly name = "UnreadableEventError";
}

/** Servers keep a stream open with events that are empty, or are named so. */
const KEEP_ALIVE = /^(?:ping|heart-?beat|keep-?alive)$/i;

/** Undefined for an event that says nothing to an agent. */
export function readEvent({ name, data }: ServerEvent): AgUiEvent | undefined {
  if (data.trim() === "" || KEEP_ALIVE.test(name ?? "")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new UnreadableEventError("an event is no JSON");
  }
  const typed = typedSchema.safeParse(value);
  if (!typed.success) throw new UnreadableEventError("an event has no type");
  if (!KNOWN.has(typed.data.type)) return undefined;
  const event = eventSchema.safeParse(value);
  if (!event.success) throw new UnreadableEventError(`an event ${typed.data.type} is incomplete`);
  return event.data;
}

const countSchema = z.number().min(0).catch(0);
const usageSchema = z.array(
  z.object({ inputTokens: countSchema.optional(), outputTokens: countSchema.optional() }),
);

/** The sum of what several models used. Undefined where nothing was counted. */
export function usageIn(usage: unknown): { input: number; output: number } | undefined {
  const read = usageSchema.safeParse(usage);
  if (!read.success || read.data.length === 0) return undefined;
  let [input, output] = [0, 0];
  for (const { inputTokens = 0, outputTokens = 0 } of read.data) {
    input += inputTokens;
    output += outputTokens;
  }
  return { input, output };
}

const partsSchema = z.array(z.object({ type: z.string(), text: z.string().optional() }));

/** The text of a message's content: a string, or parts of which some are text. */
export function textOfContent(content: unknown): string {
  if (typeof content === "string") return content;
  const parts = partsSchema.safeParse(content);
  if (parts.success) return parts.data.map(({ text = "" }) => text).join("");
  return content === undefined || content === null ? "" : JSON.stringify(content);
}

const snapshotMessageSchema = z.object({ role: z.string(), content: z.unknown().optional() });

/** What the model said last in a snapshot, where nothing came after it. */
export function lastAnswerIn(messages: readonly unknown[]): string {
  const texts: string[] = [];
  for (const message of messages.toReversed()) {
    const read = snapshotMessageSchema.safeParse(message);
    if (!read.success || read.data.role !== "assistant") break;
    texts.unshift(textOfContent(read.data.content));
  }
  return texts.filter((text) => text !== "").join("\n\n");
}
