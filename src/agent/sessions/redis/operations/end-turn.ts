import type { TurnFrame } from "../../../../protocol/frames.ts";
import type { HistoryMessage } from "../../history-message.ts";
import { MAX_FRAME_BYTES_PER_TURN, type TurnLease } from "../../session-store.ts";
import { firstSeqOf } from "../../stored-values.ts";
import { readShare, type SessionShare } from "../script/session-share.ts";
import { asArray, asNumber } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { ENTRY_KINDS } from "../script/stream-entry.ts";
import { REQUEST_FIELD } from "../script/session-functions.ts";
import { requestsIn } from "../../waiting-calls.ts";
import { readWritten } from "../script/written-reply.ts";

export interface EndTurnInput {
  lease: TurnLease;
  frames: readonly TurnFrame[];
  messages: readonly HistoryMessage[];
}

/** The script answers as every write does; after 'ok', share, and the bytes that the turn has added to it. */
export const endTurn = sessionOperation({
  arguments: {
    fence: "number",
    maxBytes: "number",
    firstSeq: "number",
    frames: "list",
    messages: "list",
    requests: "list",
  },
  lua: `
local session = load()
if not session or session.fence ~= fence then return { 'lost' } end
if session.turn == '' then
  touch(session)
  return { 'ok', shareOf(session), 0 }
end
if framesCount > 0 and firstSeq > session.seq + 1 then return { 'gap', session.seq, journaled() } end
append(session, firstSeq, framesAt, framesCount, maxBytes)
local added = session.bytes
for at = messagesAt, messagesAt + messagesCount - 1 do
  added = added + messageBytes(ARGV[at])
  redis.call('RPUSH', messagesKey, ARGV[at])
end
session.history = session.history + added - session.bytes
session.messages = session.messages + messagesCount
forgetOldTurns(session, messagesCount + 1)
redis.call('XADD', framesKey, session.seq .. '-' .. fence, '${ENTRY_KINDS.end}', '')
if requestsCount == 0 then
  redis.call('UNLINK', journalKey)
else
  local kept = 0
  for _, entry in ipairs(redis.call('LRANGE', journalKey, 0, -1)) do kept = kept + #entry end
  for at = requestsAt, requestsAt + requestsCount - 1, 2 do
    redis.call('HSET', sessionKey, '${REQUEST_FIELD}' .. ARGV[at], ARGV[at + 1])
    kept = kept + #ARGV[at + 1]
  end
  session.waiting = math.floor(requestsCount / 2) .. ' ' .. messagesCount .. ' ' .. kept
end
redis.call('RPUSH', turnsKey, now .. ' ' .. session.seq .. ' ' .. session.bytes)
session.kept, session.bytes = session.kept + session.bytes, 0
session.turn, session.lease, session.replica, session.claim = '', 0, '', ''
forget(session)
save(session)
touch(session)
return { 'ok', shareOf(session), added }
`,
  encode: ({ lease: { fence }, frames, messages }: EndTurnInput) => ({
    fence,
    maxBytes: MAX_FRAME_BYTES_PER_TURN,
    firstSeq: firstSeqOf(frames) ?? 0,
    frames: frames.map((frame) => JSON.stringify(frame)),
    messages: messages.map((message) => JSON.stringify(message)),
    requests: requestsIn(frames).flatMap((frame) => [frame.approval.id, JSON.stringify(frame)]),
  }),
  read(reply): { share: SessionShare; added: number } {
    const [share, added] = readWritten(reply);
    return { share: readShare(asArray(share)), added: asNumber(added) };
  },
});
