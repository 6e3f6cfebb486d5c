/** Messages of users that a validator refuses: no model is told of them, neither in their turn nor later. */
import type { Turn } from "../../contracts/handler.ts";
import type { HistoryMessage } from "../../sessions/history-message.ts";
import type { TurnValidation } from "./turn-validation.ts";

/** Throws a TurnError when the message is refused, and marks its turn in the history. */
export function checkMessage(
  turn: Pick<Turn, "id" | "content" | "record">,
  validation: TurnValidation,
): void {
  try {
    validation.checkMessage(turn.content);
  } catch (error) {
    turn.record({ role: "assistant", turnId: turn.id, content: "", isMessageRefused: true });
    throw error;
  }
}

export function withoutRefused(history: HistoryMessage[]): HistoryMessage[] {
  const refused = new Set(
    history.flatMap((message) =>
      message.role === "assistant" && message.isMessageRefused === true ? message.turnId : [],
    ),
  );
  return refused.size === 0 ? history : history.filter(({ turnId }) => !refused.has(turnId));
}
