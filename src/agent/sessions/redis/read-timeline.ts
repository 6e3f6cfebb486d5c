/** What a session in Redis is told of in full. What cannot be read of it is named and left out. */
import type { HistoryMessage } from "../history-message.ts";
import type { ForkSource } from "../plan-fork.ts";
import type { SessionTimeline } from "../session-listing.ts";
import { parseStoredEntry, parseStoredMessage, parseStoredOrigin } from "../stored-values.ts";
import type { JournalEntry } from "../turn-journal.ts";
import { parseStoredRecord, type TurnRecord } from "../turn-record.ts";
import { unendedRecord } from "../unended-record.ts";
import { CorruptSessionError } from "../session-store.ts";
import type { SessionInRedis, UnendedTurnInRedis } from "./operations/read-session.ts";

export function timelineOf(
  id: string,
  { described, messages, records, unended, lastSeq, keptAfter }: SessionInRedis,
  lastActiveAt: number,
): SessionTimeline {
  const unreadable: string[] = [];
  const session = { id, ...described, lastActiveAt };
  const said = readEach(messages, "message", unreadable, parseStoredMessage);
  const turns = readEach(records, "record of a turn", unreadable, (text) => {
    const record = parseStoredRecord(text);
    if (record === undefined) throw new CorruptSessionError("no record");
    return record;
  });
  if (unended !== undefined) {
    turns.push(recordOf(unended, { last: said.at(-1), session, unreadable }));
  }
  return { session, messages: said, turns, lastSeq, keptAfter, unreadable };
}

export function sourceOf({ described, messages, records, unended }: SessionInRedis): ForkSource {
  const { turns, toolCalls, inputTokens, outputTokens, cost, packVersion } = described;
  return {
    messages: messages ?? [],
    records: records ?? [],
    counts: { turns, toolCalls, inputTokens, outputTokens, cost },
    packVersion,
    unendedTurnId: unended?.turnId,
  };
}

function recordOf(
  { turnId, journal }: UnendedTurnInRedis,
  {
    last,
    session,
    unreadable,
  }: {
    last: HistoryMessage | undefined;
    session: SessionTimeline["session"];
    unreadable: string[];
  },
): TurnRecord {
  const [first, ...rest] = journal;
  const [begun = { origin: {}, messageId: undefined }] = readEach(
    first === undefined ? [] : [first],
    "begin of the turn that runs",
    unreadable,
    parseStoredOrigin,
  );
  const entries: JournalEntry[] = readEach(rest, "journal entry", unreadable, parseStoredEntry);
  const { packVersion } = session;
  const firstTurnId = last === undefined || last.turnId === turnId ? undefined : last.turnId;
  return unendedRecord({
    turnId,
    firstTurnId,
    messageId: firstTurnId === undefined ? begun.messageId : undefined,
    origin:
      packVersion === undefined ? begun.origin : { ...begun.origin, promptVersion: packVersion },
    journal: entries,
    unknownStart: session.lastActiveAt,
  });
}

function readEach<Value>(
  texts: readonly string[] | undefined,
  what: string,
  unreadable: string[],
  parse: (text: string) => Value,
): Value[] {
  if (texts === undefined) unreadable.push(`each ${what}`);
  return (texts ?? []).flatMap((text, at) => {
    try {
      return [parse(text)];
    } catch (error) {
      if (!(error instanceof CorruptSessionError)) throw error;
      unreadable.push(`${what} ${at + 1}`);
      return [];
    }
  });
}
