import type { HistoryMessage } from "../sessions/history-message.ts";

const NO_OUTCOME = "The turn ended before the tool's result came.";
const STOPPED =
  "The user cancelled the turn before the tool's result came; whether the call had an effect is not known.";
const NOT_APPROVED =
  "Not called: the user was asked to approve the call, and wrote a message instead. That counts as a denial.";

export interface TurnRecord {
  readonly turnId: string;
  readonly recorded: readonly HistoryMessage[];
  readonly unrecordedText: string;
  /** Whether the answer is incomplete. */
  readonly partial: boolean;
  readonly isCancelled?: boolean | undefined;
  /** Calls without an outcome wait for an approval. Their outcome is for the case that the user goes on without an answer. */
  readonly isWaiting?: boolean | undefined;
}

/**
 * The messages that the history keeps of a turn besides the user's: those that the handler recorded, an outcome for every tool
 * call that had none (providers refuse a history with an open call), and the text that no recorded message holds.
 */
export function turnMessages(turn: TurnRecord): HistoryMessage[] {
  const messages = turn.recorded.length === 0 ? [] : withOutcomes(turn);
  if (turn.unrecordedText !== "") {
    const { turnId, unrecordedText: content } = turn;
    messages.push(
      turn.partial
        ? { role: "assistant", turnId, content, partial: true }
        : { role: "assistant", turnId, content },
    );
  }
  return messages;
}

function withOutcomes(turn: TurnRecord): HistoryMessage[] {
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
          error: reasonFor(turn),
        }));
    }
  }
  messages.push(...open);
  return messages;
}

function reasonFor({ isCancelled, isWaiting }: TurnRecord): string {
  if (isCancelled === true) return STOPPED;
  return isWaiting === true ? NOT_APPROVED : NO_OUTCOME;
}
