import { addCost, roundCost } from "../../protocol/add-cost.ts";
import type { Cost } from "../../protocol/frames.ts";
import type { TurnRecord } from "./turn-record.ts";

/** What the turns of a session that have ended come to. */
export interface SessionCounts {
  readonly turns: number;
  readonly toolCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the turns whose prices were known; in the currency of the last one of them. */
  readonly cost?: Cost | undefined;
}

export const NO_COUNTS: SessionCounts = { turns: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0 };

export function tokensOf({ inputTokens, outputTokens }: SessionCounts): number {
  return inputTokens + outputTokens;
}

export function countsOf({ calls, usage }: TurnRecord): SessionCounts {
  return {
    turns: 1,
    toolCalls: calls.length,
    inputTokens: usage?.input_tokens ?? 0,
    outputTokens: usage?.output_tokens ?? 0,
    cost: usage?.cost,
  };
}

export function addCounts(counts: SessionCounts, more: SessionCounts): SessionCounts {
  return {
    turns: counts.turns + more.turns,
    toolCalls: counts.toolCalls + more.toolCalls,
    inputTokens: counts.inputTokens + more.inputTokens,
    outputTokens: counts.outputTokens + more.outputTokens,
    cost: addCost(counts.cost, more.cost),
  };
}

/** Never below zero: of a session that an earlier version began not all turns were counted. */
export function subtractCounts(counts: SessionCounts, fewer: SessionCounts): SessionCounts {
  return {
    turns: Math.max(0, counts.turns - fewer.turns),
    toolCalls: Math.max(0, counts.toolCalls - fewer.toolCalls),
    inputTokens: Math.max(0, counts.inputTokens - fewer.inputTokens),
    outputTokens: Math.max(0, counts.outputTokens - fewer.outputTokens),
    cost: subtractCost(counts.cost, fewer.cost),
  };
}

function subtractCost(cost: Cost | undefined, less: Cost | undefined): Cost | undefined {
  if (cost === undefined || cost.currency !== less?.currency) return cost;
  return { ...cost, amount: Math.max(0, roundCost(cost.amount - less.amount)) };
}
