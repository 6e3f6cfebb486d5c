/** What a fork of a session is made of. */
import type { ForkOutcome } from "./session-listing.ts";
import {
  addCounts,
  countsOf,
  NO_COUNTS,
  subtractCounts,
  type SessionCounts,
} from "./session-counts.ts";
import { parseStoredMessage } from "./stored-values.ts";
import { historyTurnIdOf, parseStoredRecord, type TurnRecord } from "./turn-record.ts";

/** A session as a store keeps it. Messages and records are JSON. */
export interface ForkSource {
  readonly messages: readonly string[];
  readonly records: readonly string[];
  readonly counts: SessionCounts;
  readonly packVersion: string | undefined;
  /** The turn that has not ended, which the last message is of. */
  readonly unendedTurnId: string | undefined;
}

/** What the new session begins with. */
export interface ForkedParts {
  readonly messages: readonly string[];
  readonly records: readonly string[];
  readonly counts: SessionCounts;
  readonly packVersion: string | undefined;
}

export type ForkPlan =
  | { readonly status: "planned"; readonly parts: ForkedParts }
  | Exclude<ForkOutcome, { status: "forked" | "unknown-session" }>;

/** Rejects a turn that has not ended, and one whose messages are not there. Records that cannot be read stay behind. */
export function planFork(source: ForkSource, afterTurn: string | undefined): ForkPlan {
  const { unendedTurnId, packVersion } = source;
  const turnIds = source.messages.map((text) => parseStoredMessage(text).turnId);
  const records = source.records.flatMap((text) => {
    const record = parseStoredRecord(text);
    return record === undefined ? [] : [{ text, record }];
  });
  if (afterTurn === undefined && unendedTurnId === undefined) {
    const { messages, counts } = source;
    const parts = { messages, records: records.map(({ text }) => text), counts, packVersion };
    return { status: "planned", parts };
  }
  const running = unendedTurnId === undefined ? undefined : turnIds.at(-1);
  const turnId = historyTurnId(records, afterTurn) ?? running;
  if (unendedTurnId !== undefined && (turnId === running || afterTurn === unendedTurnId)) {
    return { status: "turn-running", turnId: unendedTurnId };
  }
  const end = turnIds.findLastIndex((id) => id === turnId) + 1;
  if (end === 0) return { status: "unknown-turn" };
  const said = new Set(turnIds.slice(0, end));
  const last = records.findLastIndex(({ record }) => said.has(historyTurnIdOf(record))) + 1;
  const [kept, later] = [records.slice(0, last), records.slice(last)];
  return {
    status: "planned",
    parts: {
      messages: source.messages.slice(0, end),
      records: kept.map(({ text }) => text),
      counts: subtractCounts(source.counts, sumOf(later)),
      packVersion: kept.at(-1)?.record.packVersion ?? packVersion,
    },
  };
}

function historyTurnId(
  records: readonly { readonly record: TurnRecord }[],
  turnId: string | undefined,
): string | undefined {
  const found = records.find(({ record }) => record.turnId === turnId);
  return found === undefined ? turnId : historyTurnIdOf(found.record);
}

function sumOf(records: readonly { readonly record: TurnRecord }[]): SessionCounts {
  return records.reduce((sum, { record }) => addCounts(sum, countsOf(record)), NO_COUNTS);
}
