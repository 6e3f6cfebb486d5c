import { countsOf, NO_COUNTS } from "../../session-counts.ts";
import { MAX_FRAME_BYTES_PER_TURN, type TurnEnd, type TurnLease } from "../../session-store.ts";
import { firstSeqOf } from "../../stored-values.ts";
import { readShare, type SessionShare } from "../script/session-share.ts";
import { asArray, asNumber } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { ENTRY_KINDS } from "../script/stream-entry.ts";
import { COST_FIELD, REQUEST_FIELD } from "../script/session-functions.ts";
import { storedCost } from "../script/stored-cost.ts";
import { MAX_TURN_RECORD_BYTES, MAX_TURN_RECORDS } from "../../turn-record.ts";
import { requestsIn } from "../../waiting-calls.ts";
import { readWritten } from "../script/written-reply.ts";

export interface EndTurnInput extends TurnEnd {
  readonly lease: TurnLease;
}

/** The script answers as every write does; after 'ok', share, and the bytes that the turn has added to it. */
export const endTurn = sessionOperation({
  arguments: {
    fence: "number",
    maxBytes: "number",
    firstSeq: "number",
    record: "text",
    calls: "number",
    inputTokens: "number",
    outputTokens: "number",
    cost: "text",
    maxRecords: "number",
    maxRecordBytes: "number",
    frames: "list",
    messages: "list",
    requests: "list",
  },
  lua: `
local session = load()
if not session then return { 'gone' } end
if session.fence ~= fence then return { 'lost' } end
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
if record ~= '' then
  local turns, allCalls, input, output, recorded = summaryOf(session)
  local kept = redis.pcall('RPUSH', turnLogKey, record)
  if type(kept) ~= 'number' then
    redis.call('UNLINK', turnLogKey)
    kept, recorded = redis.call('RPUSH', turnLogKey, record), 0
  end
  recorded, added = recorded + messageBytes(record), added + messageBytes(record)
  while kept > maxRecords or (recorded > maxRecordBytes and kept > 1) do
    kept, recorded = kept - 1, math.max(0, recorded - messageBytes(redis.call('LPOP', turnLogKey)))
  end
  session.summary = string.format('%.0f %.0f %.0f %.0f %.0f', turns + 1, allCalls + calls, input + inputTokens,
    output + outputTokens, recorded)
  local amount, currency = string.match(cost, '^(%d+) (%u+)$')
  if amount then
    local before, currencyBefore = string.match(redis.call('HGET', sessionKey, '${COST_FIELD}') or '', '^(%d+) (%u+)$')
    local sum = tonumber(amount) + (currencyBefore == currency and tonumber(before) or 0)
    redis.call('HSET', sessionKey, '${COST_FIELD}', string.format('%.0f %s', sum, currency))
  end
end
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
  encode: ({ lease: { fence }, frames, messages, record }: EndTurnInput) => {
    const counts = record === undefined ? NO_COUNTS : countsOf(record);
    return {
      fence,
      maxBytes: MAX_FRAME_BYTES_PER_TURN,
      firstSeq: firstSeqOf(frames) ?? 0,
      record: record === undefined ? "" : JSON.stringify(record),
      calls: counts.toolCalls,
      inputTokens: counts.inputTokens,
      outputTokens: counts.outputTokens,
      cost: storedCost(counts.cost),
      maxRecords: MAX_TURN_RECORDS,
      maxRecordBytes: MAX_TURN_RECORD_BYTES,
      frames: frames.map((frame) => JSON.stringify(frame)),
      messages: messages.map((message) => JSON.stringify(message)),
      requests: requestsIn(frames).flatMap((frame) => [frame.approval.id, JSON.stringify(frame)]),
    };
  },
  read(reply): { share: SessionShare; added: number } {
    const [share, added] = readWritten(reply);
    return { share: readShare(asArray(share)), added: asNumber(added) };
  },
});
