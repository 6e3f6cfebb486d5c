import { asArray, asNumber, asText } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { parseEntries, ENTRY_KINDS, seqOfEntry } from "../script/stream-entry.ts";
import { readDescription, type DescribedSession } from "./describe-session.ts";

export interface UnendedTurnInRedis {
  readonly turnId: string;
  /** What the journal holds, as JSON. */
  readonly journal: readonly string[];
}

/** A session as it is kept. Messages and records are JSON; undefined where their key holds something else. */
export interface SessionInRedis {
  readonly described: DescribedSession;
  readonly messages: readonly string[] | undefined;
  readonly records: readonly string[] | undefined;
  readonly unended: UnendedTurnInRedis | undefined;
  readonly lastSeq: number;
  readonly keptAfter: number;
}

/**
 * Reads all of a session of this agent, without counting as activity.
 *
 * The script answers nil, or what describes it, seq, seq of the last frame that made way, the first entries of the stream, the
 * messages, the records, id of the turn that has not ended or '', its journal.
 */
export const readSession = sessionOperation({
  arguments: {},
  lua: `
local session = loadOfAgent()
if not session then return false end
forget(session)
local function listOf(key)
  local list = redis.pcall('LRANGE', key, 0, -1)
  return not list.err and list
end
return { describe(session), session.seq, session.cursor > session.before and session.cursor or 0,
  redis.call('XRANGE', framesKey, '-', '+', 'COUNT', 16), listOf(messagesKey), listOf(turnLogKey),
  session.turn, session.turn ~= '' and listOf(journalKey) or {} }
`,
  encode: () => ({}),
  read(reply): SessionInRedis | undefined {
    if (reply === null) return undefined;
    const [description, seq, dropped, stream, messages, records, turn, journal] = asArray(reply);
    const lastSeq = asNumber(seq);
    const first = parseEntries(stream).find(({ kind }) => kind === ENTRY_KINDS.frame);
    const turnId = asText(turn);
    return {
      described: readDescription(asArray(description)),
      messages: textsOf(messages),
      records: textsOf(records),
      unended: turnId === "" ? undefined : { turnId, journal: textsOf(journal) ?? [] },
      lastSeq,
      keptAfter:
        first === undefined ? lastSeq : Math.max(seqOfEntry(first.id) - 1, asNumber(dropped)),
    };
  },
});

function textsOf(reply: unknown): string[] | undefined {
  return reply === null ? undefined : asArray(reply).map(asText);
}
