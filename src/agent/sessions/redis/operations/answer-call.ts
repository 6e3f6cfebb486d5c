import type { AnsweredCall } from "../../session-store.ts";
import { wentOn, type CallAnswer } from "../../waiting-calls.ts";
import { asArray, unexpectedReply } from "../script/reply.ts";
import { REQUEST_FIELD } from "../script/session-functions.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { readShare, type SessionShare } from "../script/session-share.ts";
import { readTakenTurn } from "../script/taken-turn.ts";

export interface AnswerCallInput {
  sessionId: string;
  owner: string;
  answer: CallAnswer;
  leaseMs: number;
  /** The process that is to run the turn that goes on. */
  replica: string;
}

export interface AnsweredInRedis {
  readonly answered: AnsweredCall;
  /** When the turn was started. */
  readonly share: SessionShare | undefined;
}

/**
 * The script answers 'unknown-session' · 'not-open' · 'recorded' · 'started', share, and what is known of a turn that is taken.
 */
export const answerCall = sessionOperation({
  arguments: {
    owner: "text",
    lease: "number",
    callId: "text",
    turnId: "text",
    entry: "text",
    wentOn: "text",
    replica: "text",
  },
  lua: `
local session = loadOf(owner)
if not session then return { 'unknown-session' } end
local field = '${REQUEST_FIELD}' .. callId

if session.turn ~= turnId or session.claim ~= turnId then
  local request = session.waiting ~= '' and redis.call('HGET', sessionKey, field) or ''
  if request == '=' .. turnId then
    touch(session)
    return { 'recorded' }
  end
  if string.sub(request, 1, 1) ~= '{' then
    touch(session)
    return { 'not-open' }
  end
  local open, taken, kept = string.match(session.waiting, '^(%d+) (%d+) (%d+)$')
  if not open then corrupt('what the session waits for is not readable') end
  if redis.call('LLEN', journalKey) == 0 then corrupt('the journal of the turn that waits is missing') end
  redis.call('RPUSH', journalKey, entry)
  if tonumber(open) > 1 then
    redis.call('HSET', sessionKey, field, '=' .. turnId)
    session.waiting = (tonumber(open) - 1) .. ' ' .. taken .. ' ' .. (tonumber(kept) + #entry)
    save(session)
    touch(session)
    return { 'recorded' }
  end

  redis.call('RPUSH', journalKey, wentOn)
  endWait(session)
  taken = tonumber(taken)
  if taken > 0 then
    for _, message in ipairs(redis.call('LRANGE', messagesKey, -taken, -1)) do
      session.history = math.max(0, session.history - messageBytes(message))
    end
    redis.call('LTRIM', messagesKey, 0, -taken - 1)
    session.messages = session.messages - taken
  end
  forget(session)
  session.turn, session.fence = turnId, session.fence + 1
  session.claim, session.replica, session.cancel = turnId, replica, 0
  session.before, session.bytes, session.cursor = session.seq, 0, session.seq
end

session.lease = now + lease
save(session)
touch(session)
local message = redis.call('LINDEX', messagesKey, -1)
if not message then corrupt('the message of the turn is missing') end
return { 'started', shareOf(session), session.fence, session.before, session.seq, session.turn, session.cancel, message,
  redis.call('LRANGE', journalKey, 0, -1), session.version, tokensOf(session) }
`,
  encode: ({ owner, answer, leaseMs, replica }: AnswerCallInput) => ({
    owner,
    lease: leaseMs,
    callId: answer.entry.id,
    turnId: answer.turnId,
    entry: JSON.stringify(answer.entry),
    wentOn: JSON.stringify(wentOn(answer)),
    replica,
  }),
  read(reply, { sessionId }): AnsweredInRedis {
    const [status, share, ...turn] = asArray(reply);
    switch (status) {
      case "unknown-session":
      case "not-open":
      case "recorded":
        return { answered: { status }, share: undefined };
      case "started":
        return {
          answered: { status, turn: readTakenTurn(turn, sessionId) },
          share: readShare(asArray(share)),
        };
      default:
        throw unexpectedReply();
    }
  },
});
