import { MAX_REMEMBERED_TURNS, type BegunTurn, type NewTurn } from "../../session-store.ts";
import { titleOf } from "../../session-title.ts";
import { userMessageText } from "../../stored-values.ts";
import { readShare, type SessionShare } from "../script/session-share.ts";
import { asArray, asNumber, asText, unexpectedReply } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";

export interface BegunInRedis {
  readonly begun: BegunTurn;
  /** When the turn was started. */
  readonly share: SessionShare | undefined;
}

export interface BeginTurnInput {
  sessionId: string;
  owner: string;
  turn: NewTurn;
  leaseMs: number;
  /** The process that is to run the turn. */
  replica: string;
}

/**
 * The script answers 'unknown-session' · 'in-progress', turn id · 'repeated', turn id, seq before, 1 when it is running ·
 * 'abandoned', turn id · 'budget-spent', tokens · 'started', fence, seq before, share, version, tokens. `maxTokens` is -1 for no limit.
 */
export const beginTurn = sessionOperation({
  arguments: {
    owner: "text",
    lease: "number",
    turnId: "text",
    messageId: "text",
    message: "text",
    remembered: "number",
    replica: "text",
    origin: "text",
    title: "text",
    freshVersion: "text",
    maxTokens: "number",
    keptVersion: "list",
  },
  lua: `
local session = loadOf(owner)
if not session then return { 'unknown-session' } end

if session.turn == turnId and session.claim == turnId then
  session.lease = now + lease
  save(session)
  touch(session)
  return { 'started', session.fence, session.before, shareOf(session), session.version, tokensOf(session) }
end
if messageId ~= '' then
  local taken = redis.call('HGET', messageIdsKey, 'm:' .. messageId)
  if taken then
    local fence, before, turn = string.match(taken, '^(%d+) (%d+) (.*)$')
    if not fence then corrupt('a message id is not readable') end
    touch(session)
    if session.turn ~= turn then return { 'repeated', turn, before, 0 } end
    if isRunning(session) then return { 'repeated', turn, before, 1 } end
  end
end
if session.turn ~= '' then
  touch(session)
  return { isRunning(session) and 'in-progress' or 'abandoned', session.turn }
end

local tokens = tokensOf(session)
if maxTokens >= 0 and tokens >= maxTokens then
  touch(session)
  return { 'budget-spent', tokens }
end
if session.waiting ~= '' then
  endWait(session)
  redis.call('UNLINK', journalKey)
end
if session.messages == 0 then redis.call('HSET', sessionKey, 'title', title) end
local fence = session.fence + 1
session.messages = session.messages + 1
session.history = session.history + messageBytes(message)
redis.call('RPUSH', messagesKey, message)
local ring = 'r:' .. (fence % remembered)
local forgotten = redis.call('HGET', messageIdsKey, ring)
if forgotten then redis.call('HDEL', messageIdsKey, ring, 'm:' .. forgotten) end
if messageId ~= '' then
  redis.call('HSET', messageIdsKey, ring, messageId, 'm:' .. messageId, fence .. ' ' .. session.seq .. ' ' .. turnId)
end
redis.call('RPUSH', journalKey, origin)
forget(session)
session.turn, session.fence, session.lease = turnId, fence, now + lease
session.claim, session.replica, session.cancel = turnId, replica, 0
session.before, session.bytes, session.cursor = session.seq, 0, session.seq
local keeps = freshVersion == ''
for at = keptVersionAt, keptVersionAt + keptVersionCount - 1 do
  keeps = keeps or ARGV[at] == session.version
end
if not keeps then session.version = freshVersion end
save(session)
touch(session)
return { 'started', fence, session.before, shareOf(session), session.version, tokens }
`,
  encode: ({
    owner,
    turn: { turnId, messageId, userMessage, origin, promptVersions, maxSessionTokens },
    leaseMs,
    replica,
  }: BeginTurnInput) => ({
    owner,
    lease: leaseMs,
    turnId,
    messageId: messageId ?? "",
    message: userMessageText(turnId, userMessage),
    remembered: MAX_REMEMBERED_TURNS,
    replica,
    origin: JSON.stringify({ ...origin, messageId }),
    title: titleOf(userMessage),
    freshVersion: promptVersions?.fresh ?? "",
    maxTokens: maxSessionTokens ?? -1,
    keptVersion: promptVersions?.kept ?? [],
  }),
  read(reply, { sessionId, turn: { turnId } }): BegunInRedis {
    const [status, ...rest] = asArray(reply);
    switch (status) {
      case "unknown-session":
        return notStarted({ status });
      case "in-progress":
      case "abandoned":
        return notStarted({ status, turnId: asText(rest[0]) });
      case "budget-spent":
        return notStarted({ status, sessionTokens: asNumber(rest[0]) });
      case "repeated": {
        const [repeatedTurnId, seqBefore, runs] = rest;
        return notStarted({
          status,
          turnId: asText(repeatedTurnId),
          seqBefore: asNumber(seqBefore),
          running: runs === 1,
        });
      }
      case "started": {
        const [fence, seqBefore, share, version, tokens] = rest;
        const lease = {
          sessionId,
          turnId,
          fence: asNumber(fence),
          seqBefore: asNumber(seqBefore),
        };
        return {
          begun: {
            status,
            lease,
            promptVersion: asText(version) || undefined,
            sessionTokens: asNumber(tokens) || undefined,
          },
          share: readShare(asArray(share)),
        };
      }
      default:
        throw unexpectedReply();
    }
  },
});

function notStarted(begun: BegunTurn): BegunInRedis {
  return { begun, share: undefined };
}
