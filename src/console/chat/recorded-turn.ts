/** What the session remembers of a turn. */
import {
  callsOf,
  NO_CALL,
  withCall,
  withText,
  type Call,
  type Part,
  type SessionMessage,
  type TurnRecord,
} from "./turn-parts.ts";

export interface RecordedTurn {
  readonly question: string | undefined;
  readonly parts: readonly Part[];
  /** Undefined for a turn that is older than what the session counts of its turns. */
  readonly record: TurnRecord | undefined;
  readonly isRunning: boolean;
}

/** The turns of a session, oldest first. */
export function recordedTurns(
  messages: readonly SessionMessage[],
  records: readonly TurnRecord[],
): ReadonlyMap<string, RecordedTurn> {
  const byTurn = new Map<string, SessionMessage[]>();
  const argumentsOf = new Map<string, Record<string, unknown>>();
  for (const message of messages) {
    const ofTurn = byTurn.get(message.turnId);
    if (ofTurn === undefined) byTurn.set(message.turnId, [message]);
    else ofTurn.push(message);
    if (message.role !== "assistant") continue;
    for (const call of message.toolCalls ?? []) argumentsOf.set(call.id, call.arguments);
  }
  const recordOf = new Map(records.map((record) => [record.turnId, record]));
  const ids = new Set([...byTurn.keys(), ...recordOf.keys()]);
  const turns = new Map<string, RecordedTurn>();
  for (const id of ids) {
    turns.set(id, recordedTurn(byTurn.get(id) ?? [], recordOf.get(id), argumentsOf));
  }
  return turns;
}

function recordedTurn(
  messages: readonly SessionMessage[],
  record: TurnRecord | undefined,
  argumentsOf: ReadonlyMap<string, Record<string, unknown>>,
): RecordedTurn {
  let question: string | undefined;
  let parts: readonly Part[] = [];
  for (const message of messages) {
    if (message.role === "user") {
      question ??= message.content;
    } else if (message.role === "assistant") {
      parts = withText(parts, message.content);
      for (const { id, name, arguments: given } of message.toolCalls ?? []) {
        parts = withCall(parts, { ...NO_CALL, id, name, arguments: given });
      }
    } else {
      const { toolCallId: id, toolName: name, result, error, state } = message;
      const known = callsOf(parts).find((call) => call.id === id);
      const call: Call = {
        ...(known ?? { ...NO_CALL, id, name, arguments: argumentsOf.get(id) }),
        outcome: error === undefined ? "ok" : "error",
        result,
        error,
        state,
      };
      parts = withCall(parts, call);
    }
  }
  for (const call of record?.calls ?? []) parts = withCall(parts, timed(call, parts));
  const isRunning = record !== undefined && record.endedAt === undefined;
  return { question, parts: settled(parts, record, isRunning), record, isRunning };
}

/** The call with what its turn counted of it. */
function timed(counted: TurnRecord["calls"][number], parts: readonly Part[]): Call {
  const { id, name, parent, startedAt, ms, outcome } = counted;
  const known = callsOf(parts).find((call) => call.id === id) ?? { ...NO_CALL, id, name };
  return { ...known, parent, startedAt: Date.parse(startedAt), ms, outcome };
}

/** Calls without an outcome wait for an approval, where the turn ended with that; otherwise nobody knows what became of them. */
function settled(
  parts: readonly Part[],
  record: TurnRecord | undefined,
  isRunning: boolean,
): readonly Part[] {
  if (isRunning) return parts;
  const counted = new Set(record?.calls.map(({ id }) => id));
  const waits = record?.finishReason === "awaiting_approval";
  return parts.map((part) => {
    if (part.type !== "calls") return part;
    const calls = part.calls.map((call): Call => {
      if (call.outcome !== "running") return call;
      return { ...call, outcome: waits && !counted.has(call.id) ? "waiting" : "unknown" };
    });
    return { type: "calls", calls };
  });
}
