/** How much of a session a model is told: the newest turns, each as a whole, as far as a budget of tokens goes. */
import type { HistoryMessage } from "../sessions/history-message.ts";
import { charactersOf } from "./token-rates.ts";

export interface HistoryBudget {
  readonly tokens: number;
  readonly charactersPerToken: number;
  /** What the model is told of the turns that were cut, in their place. Without it: nothing. */
  readonly summarize?: (cut: readonly HistoryMessage[]) => readonly HistoryMessage[];
}

/**
 * The messages that fit, oldest first. A turn is kept whole or not at all, so that a tool's result stays with its call; and
 * none before one that is cut, so that nothing is missing in between.
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

/** The first message of the turn that this one is of. */
function startOfTurn(history: readonly HistoryMessage[], index: number): number {
  const turnId = history[index]?.turnId;
  let start = index;
  while (start > 0 && history[start - 1]?.turnId === turnId) start--;
  return start;
}
