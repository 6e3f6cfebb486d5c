/** What is remembered of a turn beside what was said: when it ran and where, what it used, which calls it made, how it ended. */
import { z } from "zod";
import { FINISH_REASONS } from "../../protocol/frames.ts";

/** The newest turns of a session whose records are kept, */
export const MAX_TURN_RECORDS = 1_000;
/** and the bytes of their records; past either the oldest go. */
export const MAX_TURN_RECORD_BYTES = 1024 * 1024;
/** The calls of one turn that its record tells of, the first ones. */
export const MAX_RECORDED_CALLS = 256;

const milliseconds = z.number().nonnegative();

const callRecordSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** In milliseconds since 1970, as all times here. */
  startedAt: milliseconds,
  /** How long it took, in milliseconds, where that is known. */
  ms: milliseconds.optional(),
  /** `unknown`: it was begun, and nobody knows whether it had its effect. */
  outcome: z.enum(["ok", "error", "unknown", "running"]),
  /** The call of another agent of the pack that made this call. */
  parent: z.string().optional(),
});

export const turnRecordSchema = z.object({
  turnId: z.string(),
  /** The turn whose message this one answers, where it goes on after an approval. The history has both under that id. */
  firstTurnId: z.string().optional(),
  /** The client's own id of the message. */
  messageId: z.string().optional(),
  startedAt: milliseconds,
  firstChunkAt: milliseconds.optional(),
  /** Without it the turn has not ended. */
  endedAt: milliseconds.optional(),
  packVersion: z.string().optional(),
  model: z.string().optional(),
  /** The replicas that ran it, one after the other. */
  replicas: z.array(z.string()),
  finishReason: z.enum(FINISH_REASONS).optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  warnings: z.array(z.object({ validator: z.string(), message: z.string() })).optional(),
  usage: z
    .object({
      input_tokens: z.number(),
      output_tokens: z.number(),
      cost: z.object({ amount: z.number(), currency: z.string() }).optional(),
    })
    .optional(),
  /** The state of the pack's workflow at the end of the turn. */
  workflowState: z.string().optional(),
  calls: z.array(callRecordSchema),
});

export type TurnRecord = z.output<typeof turnRecordSchema>;
export type CallRecord = z.output<typeof callRecordSchema>;

/** The id that the messages of the turn have in the history. */
export function historyTurnIdOf({ turnId, firstTurnId }: TurnRecord): string {
  return firstTurnId ?? turnId;
}

/** Undefined when the text is no record. */
export function parseStoredRecord(text: string): TurnRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return turnRecordSchema.safeParse(value).data;
}
