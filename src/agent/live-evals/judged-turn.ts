/** A turn that has ended, as evals see it. */
import type { PromptConfig } from "../../agent-config/agent-config.ts";
import type { FinishReason, Usage } from "../../protocol/frames.ts";
import type { TurnRecord } from "../../evals/conversation/transcript.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";

export interface JudgedTurn {
  readonly turnId: string;
  /** The prompt that the session has. */
  readonly prompt: PromptConfig;
  readonly userMessage: string;
  readonly answer: string;
  readonly messages: readonly HistoryMessage[];
  readonly finishReason: FinishReason;
  readonly usage: Usage | undefined;
  /** Milliseconds from the message to the end of the turn. */
  readonly durationMs: number;
}

export function recordOf(turn: JudgedTurn): TurnRecord {
  const { usage, finishReason } = turn;
  const outcomes = new Map(
    turn.messages.flatMap((message) =>
      message.role === "tool" ? [[message.toolCallId, message] as const] : [],
    ),
  );
  const calls = turn.messages.flatMap((message) =>
    message.role === "assistant" ? (message.toolCalls ?? []) : [],
  );
  return {
    user: turn.userMessage,
    answer: turn.answer,
    toolCalls: calls.map(({ id, name, arguments: given }) => {
      const { result, error } = outcomes.get(id) ?? {};
      return { name, arguments: given, result, error };
    }),
    finishReason,
    usage: usage && { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens },
    latencyMs: turn.durationMs,
  };
}
