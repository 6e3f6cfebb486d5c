/** Sessions in the HTTP API. Agents answer with them, and what stands before the agents passes them on. */
import { z } from "zod";
import { pageOf } from "./page.ts";

export const SESSION_STATES = ["running", "waiting", "idle", "failed"] as const;

const costSchema = z.object({
  amount: z.number(),
  /** A code of ISO 4217, like USD. */
  currency: z.string(),
});

export const sessionViewSchema = z.object({
  id: z.string(),
  /** The first 80 characters of the first message. */
  title: z.string(),
  createdAt: z.string(),
  lastActiveAt: z.string(),
  /** When it ends unless something happens in it before. */
  expiresAt: z.string(),
  turns: z.int(),
  toolCalls: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  /** Set where the agent knows the prices of its provider. */
  cost: costSchema.optional(),
  /** `waiting`: calls of its last turn wait for an approval. `failed`: its last turn ended in an error. */
  state: z.enum(SESSION_STATES),
  /** The content hash of the pack that it has. */
  packVersion: z.string().optional(),
  /** The state of the pack's workflow that it is in. */
  workflowState: z.string().optional(),
  /** Whether it is the caller's, who may go on with it in a chat. A copy of any other one is. */
  own: z.boolean().optional(),
  /** Whose it is, where that is known: a store knows the names of its owners by their digests only. */
  subject: z.string().optional(),
});

export const turnCallViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  startedAt: z.string(),
  ms: z.number().optional(),
  /** `unknown`: it was begun and may have had its effect. */
  outcome: z.enum(["ok", "error", "unknown", "running"]),
  /** The call of another agent of the pack that made this call. */
  parent: z.string().optional(),
});

export const turnViewSchema = z.object({
  turnId: z.string(),
  /** The turn whose message this one answers, where it goes on after an approval. Its messages have that id. */
  firstTurnId: z.string().optional(),
  messageId: z.string().optional(),
  startedAt: z.string(),
  firstChunkAt: z.string().optional(),
  /** Without it the turn runs. */
  endedAt: z.string().optional(),
  packVersion: z.string().optional(),
  model: z.string().optional(),
  /** The replicas that ran it, one after the other. */
  replicas: z.array(z.string()),
  finishReason: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  warnings: z.array(z.object({ validator: z.string(), message: z.string() })).optional(),
  usage: z
    .object({ input_tokens: z.int(), output_tokens: z.int(), cost: costSchema.optional() })
    .optional(),
  /** The state of the pack's workflow at the end of the turn. */
  workflowState: z.string().optional(),
  calls: z.array(turnCallViewSchema),
});

/** A message as the session remembers it, without what only a provider understands. */
export const sessionMessageSchema = z.discriminatedUnion("role", [
  z.object({ role: z.literal("user"), turnId: z.string(), content: z.string() }),
  z.object({
    role: z.literal("assistant"),
    turnId: z.string(),
    content: z.string(),
    toolCalls: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          arguments: z.record(z.string(), z.unknown()),
        }),
      )
      .optional(),
    /** The turn was cancelled or failed before the answer was whole. */
    partial: z.boolean().optional(),
  }),
  z.object({
    role: z.literal("tool"),
    turnId: z.string(),
    toolCallId: z.string(),
    toolName: z.string(),
    result: z.unknown().optional(),
    error: z.string().optional(),
    /** The state of the workflow to which the call moved the session. */
    state: z.string().optional(),
  }),
]);

export const sessionTimelineSchema = z.object({
  session: sessionViewSchema,
  messages: z.array(sessionMessageSchema),
  /** The newest 1,000 at most, oldest first. */
  turns: z.array(turnViewSchema),
  /** The `seq` of its last frame. */
  lastSeq: z.int(),
  /** Frames with a `seq` above this one are kept for clients that resume. */
  keptAfter: z.int(),
});

export const sessionPageSchema = pageOf(sessionViewSchema).extend({
  /** Some replicas, which alone know their sessions, did not answer. */
  incomplete: z.boolean().optional(),
});

/** With `since`, the timeline begins with this turn, or with the one that it goes on with; all of it comes where the turn is not known. */
export const timelineQuerySchema = z.object({ since: z.string().max(256).optional() });

/** The new session has what was said up to the end of the turn, or all of it. */
export const forkRequestSchema = z.strictObject({ afterTurn: z.string().max(256).optional() });
export const forkedSessionSchema = z.object({ id: z.string() });

export type SessionView = z.output<typeof sessionViewSchema>;
export type TurnView = z.output<typeof turnViewSchema>;
export type TurnCallView = z.output<typeof turnCallViewSchema>;
export type SessionMessage = z.output<typeof sessionMessageSchema>;
export type SessionTimeline = z.output<typeof sessionTimelineSchema>;
export type ForkedSession = z.output<typeof forkedSessionSchema>;
