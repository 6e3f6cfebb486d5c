import type { HistoryMessage } from "../sessions/history-message.ts";

const NO_OUTCOME = "The turn ended before the tool's result came.";
const STOPPED =
  "The user cancelled the turn before the tool's result came; whether the call had an effect is not known.";

/**
 * What the history keeps of a turn, the user's message aside: what the handler recorded, an outcome for every tool call
 * that had none (a provider refuses a history with an open call), and the text that nobody recorded.
 */
export function turnMessages(turn: {
  turnId: string;
  recorded: readonly HistoryMessage[];
  unrecordedText: string;
  /** The answer is not whole. */
  partial: boolean;
  isCancelled?: boolean;
}): HistoryMessage[] {
  const answered = new Set(
    turn.recorded.filter((message) => message.role === "tool").map((message) => message.toolCallId),
  );
  const messages: HistoryMessage[] = [];
  let open: HistoryMessage[] = [];
  for (const message of turn.recorded) {
    if (message.role !== "tool") {
      messages.push(...open);
      open = [];
    }
    messages.push(message);
    if (message.role === "assistant") {
      open = (message.toolCalls ?? [])
        .filter((call) => !answered.has(call.id))
        .map((call) => ({
          role: "tool",
          turnId: turn.turnId,
          toolCallId: call.id,
          toolName: call.name,
          error: turn.isCancelled === true ? STOPPED : NO_OUTCOME,
        }));
    }
  }
  messages.push(...open);
  if (turn.unrecordedText !== "") {
    messages.push({
      role: "assistant",
      turnId: turn.turnId,
      content: turn.unrecordedText,
      ...(turn.partial ? { partial: true } : {}),
    });
  }
  return messages;
}
