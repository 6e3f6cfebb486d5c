/**
 * The steps of the session store that must be one, as Lua that runs inside Redis.
 *
 * A session is five keys, all with the same expiry:
 *
 * - `session`, a hash: the last seq, the fence, the turn that runs and until when its lease goes
 * - `messages`, a list of JSON: the history
 * - `frames`, a stream. Frame n has the id `n-0`, so that none can be there twice or out of order. The end of a turn
 *   leaves a mark with the id `<last seq>-<fence>`, which is how those who follow learn of it.
 * - `turns`, a list: of each ended turn whose frames are kept, when it ended, its last seq and the bytes of its frames
 * - `message-ids`, a hash: `m:<message id>` → fence, seq before and id of its turn; `r:<n>` → the message id of the
 *   turn whose fence is n in a ring, so that only the last ones are remembered
 *
 * Time is the server's. The order within a script is such that what cannot be written fails before anything is.
 */
import { createHash } from "node:crypto";

export const SESSION_KEY_NAMES = ["session", "messages", "frames", "turns", "message-ids"] as const;
/** Kind of a stream entry, its only field: what a frame may make way for, what it may not, and the mark of an end. */
export const ENTRY_KINDS = { chunk: "c", frame: "f", end: "e" } as const;
/** What a script says, somewhere in its error, when a key does not hold what it should. */
export const CORRUPT = "OMNIA_CORRUPT";

export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

// ARGV of every script begins with: ttl, frame retention (both ms), bytes of frames kept of ended turns.
const prelude = `
local ttl, retention, maxKept = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function corrupt(what)
  error('${CORRUPT}: ' .. what)
end

local function load()
  local found = redis.call('HMGET', KEYS[1], 'turn', 'subject', 'seq', 'fence', 'lease', 'before', 'bytes', 'kept', 'cursor', 'messages')
  if not found[3] then
    if redis.call('EXISTS', KEYS[1]) == 1 then corrupt('the session has no seq') end
    return nil
  end
  local session = { turn = found[1], subject = found[2] }
  for index, field in ipairs({ 'seq', 'fence', 'lease', 'before', 'bytes', 'kept', 'cursor', 'messages' }) do
    local value = tonumber(found[index + 2])
    if not value or value < 0 or value ~= math.floor(value) then corrupt('the session has no ' .. field) end
    session[field] = value
  end
  if not session.turn then corrupt('the session has no turn') end
  return session
end

local function save(session)
  redis.call('HSET', KEYS[1], 'turn', session.turn, 'seq', session.seq, 'fence', session.fence,
    'lease', session.lease, 'before', session.before, 'bytes', session.bytes,
    'kept', session.kept, 'cursor', session.cursor, 'messages', session.messages)
end

-- Activity: everything of the session expires at one time. A turn that runs outlasts a shorter ttl.
local function touch(session)
  local expiry = now + ttl
  if session.turn ~= '' and session.lease > expiry then expiry = session.lease end
  for index = 1, #KEYS do redis.call('PEXPIREAT', KEYS[index], expiry) end
end

local function isRunning(session)
  return session.turn ~= '' and session.lease > now
end

-- Forgets frames of turns that ended long ago; a bounded piece of the work at a time.
local function forget(session)
  local last
  for _ = 1, 64 do
    local record = redis.call('LINDEX', KEYS[4], 0)
    if not record then break end
    local ended, seq, bytes = string.match(record, '^(%d+) (%d+) (%d+)$')
    if not ended then corrupt('an ended turn is not readable') end
    if tonumber(ended) + retention > now and session.kept <= maxKept then break end
    redis.call('LPOP', KEYS[4])
    session.kept = math.max(0, session.kept - tonumber(bytes))
    last = tonumber(seq)
  end
  if last then
    redis.call('XTRIM', KEYS[3], 'MINID', (last + 1) .. '-0')
    redis.call('HSET', KEYS[1], 'kept', session.kept)
  end
end

local function keepTurn(session, ended)
  redis.call('RPUSH', KEYS[4], ended .. ' ' .. session.seq .. ' ' .. session.bytes)
  session.kept = session.kept + session.bytes
  session.bytes = 0
end

-- ARGV from 'from' on: kind and JSON of each frame, the first of which has the seq 'first'.
local function append(session, first, from, count, maxBytes)
  for index = 0, count - 1 do
    local seq = first + index
    if seq > session.seq then
      local json = ARGV[from + 2 * index + 1]
      redis.call('XADD', KEYS[3], seq .. '-0', ARGV[from + 2 * index], json)
      session.seq = seq
      session.bytes = session.bytes + #json
    end
  end
  -- Too many bytes: the oldest chunks make way. The cursor is the seq up to which this was tried.
  while session.bytes > maxBytes and session.cursor < session.seq do
    local page = redis.call('XRANGE', KEYS[3], (session.cursor + 1) .. '-0', '+', 'COUNT', 100)
    if #page == 0 then session.cursor = session.seq end
    for _, entry in ipairs(page) do
      if session.bytes <= maxBytes then break end
      if entry[2][1] == '${ENTRY_KINDS.chunk}' then
        redis.call('XDEL', KEYS[3], entry[1])
        session.bytes = session.bytes - #entry[2][2]
      end
      session.cursor = tonumber(string.match(entry[1], '^%d+'))
    end
  end
end
`;

function script(body: string): RedisScript {
  const text = prelude + body;
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

export const REDIS_SCRIPTS = {
  /** ARGV: whether there is a subject, subject. Answers: 1, or 0 when the id is taken. */
  create: script(`
local session = load()
local subject = ARGV[4] == '1' and ARGV[5]
if session then
  if session.fence > 0 or session.subject ~= subject then return 0 end
else
  session = { turn = '', seq = 0, fence = 0, lease = 0, before = 0, bytes = 0, kept = 0, cursor = 0, messages = 0 }
  if subject then redis.call('HSET', KEYS[1], 'subject', subject) end
  save(session)
end
touch(session)
return 1
`),

  /** Answers: nil, or seq, subject or nil, id of the running turn or nil. */
  find: script(`
local session = load()
if not session then return false end
touch(session)
return { session.seq, session.subject, isRunning(session) and session.turn }
`),

  /** Answers: the messages. */
  history: script(`
local session = load()
if not session then return {} end
local messages = redis.call('LRANGE', KEYS[2], 0, -1)
if #messages ~= session.messages then corrupt('there are not as many messages as there were') end
return messages
`),

  /**
   * ARGV: lease (ms), turn id, message id or '', the user's message, number of turns whose message ids are remembered.
   * Answers: 'unknown-session' · 'in-progress', turn id · 'repeated', turn id, seq before, 1 when it is running ·
   * 'started', fence, seq before.
   */
  beginTurn: script(`
local lease, turnId, messageId, message, remembered = tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local session = load()
if not session then return { 'unknown-session' } end

if session.turn == turnId then
  session.lease = now + lease
  save(session)
  touch(session)
  return { 'started', session.fence, session.before }
end
if messageId ~= '' then
  local taken = redis.call('HGET', KEYS[5], 'm:' .. messageId)
  if taken then
    local fence, before, turn = string.match(taken, '^(%d+) (%d+) (.*)$')
    if not fence then corrupt('a message id is not readable') end
    touch(session)
    local running = isRunning(session) and session.fence == tonumber(fence)
    return { 'repeated', turn, before, running and 1 or 0 }
  end
end
if isRunning(session) then
  touch(session)
  return { 'in-progress', session.turn }
end

local fence = session.fence + 1
session.messages = session.messages + 1
redis.call('RPUSH', KEYS[2], message)
local ring = 'r:' .. (fence % remembered)
local forgotten = redis.call('HGET', KEYS[5], ring)
if forgotten then redis.call('HDEL', KEYS[5], ring, 'm:' .. forgotten) end
if messageId ~= '' then
  redis.call('HSET', KEYS[5], ring, messageId, 'm:' .. messageId, fence .. ' ' .. session.seq .. ' ' .. turnId)
end
-- The turn before was never ended.
if session.turn ~= '' then keepTurn(session, session.lease) end
forget(session)
session.turn, session.fence, session.lease = turnId, fence, now + lease
session.before, session.bytes, session.cursor = session.seq, 0, session.seq
save(session)
touch(session)
return { 'started', fence, session.before }
`),

  /**
   * ARGV: lease (ms), fence, bytes of frames kept of a turn, seq of the first frame, number of frames, kind and JSON of each.
   * Answers: 'ok' · 'lost' · 'gap', last seq.
   */
  appendFrames: script(`
local lease, fence, maxBytes, first, count = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local session = load()
if not session or session.fence ~= fence or session.turn == '' then return { 'lost' } end
if count > 0 and first > session.seq + 1 then return { 'gap', session.seq } end
append(session, first, 9, count, maxBytes)
session.lease = now + lease
save(session)
touch(session)
return { 'ok' }
`),

  /**
   * ARGV: fence, bytes of frames kept of a turn, seq of the first frame, number of frames, kind and JSON of each, messages.
   * Answers: as appendFrames.
   */
  endTurn: script(`
local fence, maxBytes, first, count = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local session = load()
if not session or session.fence ~= fence then return { 'lost' } end
if session.turn == '' then
  touch(session)
  return { 'ok' }
end
if count > 0 and first > session.seq + 1 then return { 'gap', session.seq } end
append(session, first, 8, count, maxBytes)
for index = 8 + 2 * count, #ARGV do
  redis.call('RPUSH', KEYS[2], ARGV[index])
  session.messages = session.messages + 1
end
redis.call('XADD', KEYS[3], session.seq .. '-' .. fence, '${ENTRY_KINDS.end}', '')
keepTurn(session, now)
session.turn, session.lease = '', 0
forget(session)
save(session)
touch(session)
return { 'ok' }
`),

  /**
   * ARGV: id of the stream entry before, number of entries. No activity.
   * Answers: nil, or how long the running turn's lease still goes (ms, 0 when none runs), entries.
   */
  readFrames: script(`
local session = load()
if not session then return false end
forget(session)
local left = isRunning(session) and session.lease - now or 0
return { left, redis.call('XRANGE', KEYS[3], '(' .. ARGV[4], '+', 'COUNT', ARGV[5]) }
`),

  /** Forgets frames whose time is over. No activity. Answers: nothing of interest. */
  forgetFrames: script(`
local session = load()
if session then forget(session) end
return 1
`),

  /** A write that changes nothing: whether this user, on this server, may run scripts and write. */
  check: script(`
return redis.call('PEXPIRE', KEYS[1], 1)
`),
} as const;
