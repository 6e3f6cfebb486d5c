/** Puts together what a timeline tells in two lists: what was said, and when and by whom it was done. */
import type {
  SessionMessage,
  SessionTimeline,
  TurnCallView,
  TurnView,
} from "../../http-api/session-views.ts";

export interface ToldTurn {
  /** From 1. */
  readonly number: number;
  readonly turnId: string;
  /** A turn whose record is no longer kept, or was never written, has none. A turn that waited for an approval has several. */
  readonly records: readonly TurnView[];
  readonly messages: readonly SessionMessage[];
}

/** The turns of the session, oldest first, each with its messages. */
export function turnsOf({ messages, turns }: SessionTimeline): ToldTurn[] {
  const told = new Map<string, { records: TurnView[]; messages: SessionMessage[] }>();
  const at = (turnId: string) => {
    const known = told.get(turnId) ?? { records: [], messages: [] };
    told.set(turnId, known);
    return known;
  };
  // Messages are forgotten before records are, and records of a session that an older version began were never written.
  const first = new Set(turns.map(({ turnId, firstTurnId }) => firstTurnId ?? turnId));
  for (const { turnId } of messages) if (!first.has(turnId)) at(turnId);
  for (const turn of turns) at(turn.firstTurnId ?? turn.turnId).records.push(turn);
  for (const message of messages) at(message.turnId).messages.push(message);
  return [...told].map(([turnId, turn], index) => ({ number: index + 1, turnId, ...turn }));
}

export interface ToldCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** When it was made and how long it took, where that is known. */
  readonly record: TurnCallView | undefined;
  readonly outcome: Extract<SessionMessage, { role: "tool" }> | undefined;
}

/** The calls of an assistant's message. */
export function callsOf(
  message: Extract<SessionMessage, { role: "assistant" }>,
  { records, messages }: ToldTurn,
): ToldCall[] {
  return (message.toolCalls ?? []).map(({ id, name, arguments: toolArguments }) => ({
    name,
    arguments: toolArguments,
    record: records.flatMap(({ calls }) => calls).find((call) => call.id === id),
    outcome: messages.find(
      (each): each is Extract<SessionMessage, { role: "tool" }> =>
        each.role === "tool" && each.toolCallId === id,
    ),
  }));
}
