/** What the journal of a turn that has not ended tells for its record. */
import { addUsage } from "../../protocol/add-usage.ts";
import type { ToolMessage } from "./history-message.ts";
import type { JournalEntry, TurnOrigin } from "./turn-journal.ts";
import { MAX_RECORDED_CALLS, type CallRecord, type TurnRecord } from "./turn-record.ts";

/** What the history and the clients are given as the outcome of a call in doubt. */
export const OUTCOME_NOT_KNOWN =
  "The replica that made the call ended before its result came; whether the call had an effect is not known.";

export interface UnendedTurnOfRecord {
  readonly turnId: string;
  readonly firstTurnId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly origin: TurnOrigin;
  readonly journal: readonly JournalEntry[];
  /** When it is taken to have begun where nothing tells. */
  readonly unknownStart: number;
}

/**
 * Calls without an outcome are `running`, and `unknown` where another replica has begun them than the one that has the turn.
 * A journal that an earlier version wrote has no times: its calls began with the turn.
 */
export function unendedRecord(turn: UnendedTurnOfRecord): TurnRecord {
  const { turnId, firstTurnId, messageId, origin, journal, unknownStart } = turn;
  let startedAt = origin.startedAt ?? unknownStart;
  let firstChunkAt: number | undefined;
  let replicas = origin.replica === undefined ? [] : [origin.replica];
  let usage: TurnRecord["usage"];
  let calls = new Map<string, CallRecord>();
  for (const entry of journal) {
    switch (entry.type) {
      case "said":
        firstChunkAt ??= entry.at;
        break;
      case "step":
        usage = addUsage(usage, entry.usage);
        break;
      case "call-started":
        if (calls.size < MAX_RECORDED_CALLS) {
          const { id, name, at, parent } = entry;
          calls.set(id, { id, name, startedAt: at ?? startedAt, outcome: "running", parent });
        }
        break;
      case "call-done": {
        const call = calls.get(entry.message.toolCallId);
        if (call !== undefined) calls.set(call.id, ended(call, entry.message, entry.at));
        break;
      }
      case "went-on":
        startedAt = entry.at ?? unknownStart;
        firstChunkAt = undefined;
        replicas = entry.replica === undefined ? [] : [entry.replica];
        usage = undefined;
        calls = new Map();
        break;
      case "taken-over":
        if (entry.replica !== undefined) replicas = [...replicas, entry.replica];
        for (const call of calls.values()) {
          if (call.outcome === "running") calls.set(call.id, { ...call, outcome: "unknown" });
        }
        break;
      case "call-answered":
        break;
    }
  }
  return {
    turnId,
    firstTurnId,
    messageId,
    startedAt,
    firstChunkAt,
    packVersion: origin.promptVersion,
    model: origin.model,
    replicas,
    usage,
    calls: [...calls.values()],
  };
}

function ended(call: CallRecord, { error }: ToolMessage, at: number | undefined): CallRecord {
  const ms = at === undefined ? undefined : Math.max(0, at - call.startedAt);
  if (error === OUTCOME_NOT_KNOWN) return { ...call, outcome: "unknown" };
  return { ...call, ms, outcome: error === undefined ? "ok" : "error" };
}
