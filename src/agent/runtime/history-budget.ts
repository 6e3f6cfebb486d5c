/** How much of a session a model is told: the newest turns, each as a whole, as far as a budget of tokens allows. */
import type { HistoryMessage } from "../sessions/history-message.ts";
import { charactersOf } from "./token-rates.ts";

export interface HistoryBudget {
  readonly tokens: number;
  readonly charactersPerToken: number;
  /** Makes what the model is told in place of the turns that are left out. Without it the model is told nothing of them. */
  readonly summarize?: ((cut: readonly HistoryMessage[]) => readonly HistoryMessage[]) | undefined;
}

/**
 * The messages that fit, oldest first. A turn is kept as a whole or not at all, so that a tool's result stays with its call.
 * No turn is kept that came before one that is left out, so that nothing is missing in between.
 */
export function withinBudget(
  history: readonly HistoryMessage[],
  { tokens, charactersPerToken, summarize }: HistoryBudget,
): readonly HistoryMessage[] {
  let left = tokens * charactersPerToken;
  let from = history.length;
  while (from > 0) {
    const start = startOfTurn(history, from - 1);
    for (let index = start; index < from; index++) {
      left -= charactersOf(history[index] as HistoryMessage);
    }
    if (left < 0) break;
    from = start;
  }
  if (from === 0) return history;
  return [...(summarize?.(history.slice(0, from)) ?? []), ...history.slice(from)];
}

/** The index of the first message of the turn that the message at `index` belongs to. */
function startOfTurn(history: readonly HistoryMessage[], index: number): number {
  const turnId = history[index]?.turnId;
  let start = index;
  while (start > 0 && history[start - 1]?.turnId === turnId) start--;
  return start;
}
