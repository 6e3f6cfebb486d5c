/** What was said and done in a conversation, as it is judged and as a recording keeps it. */
import { z } from "zod";

const toolCallSchema = z.strictObject({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  /** Exactly one of `result` and `error`, unless the call was not made. */
  result: z.unknown().optional(),
  error: z.string().optional(),
});

export const turnRecordSchema = z.strictObject({
  user: z.string(),
  /** The whole text that the user was shown. */
  answer: z.string(),
  toolCalls: z.array(toolCallSchema),
  finishReason: z.string(),
  /** In tokens, of all model steps of the turn. Unset where nobody counted them. */
  usage: z
    .strictObject({ inputTokens: z.number().min(0), outputTokens: z.number().min(0) })
    .optional(),
  latencyMs: z.number().min(0),
});

export type ToolCallRecord = z.output<typeof toolCallSchema>;
export type TurnRecord = z.output<typeof turnRecordSchema>;
