/**
 * The steps of the session store that must be one, as Lua that runs inside Redis.
 *
 * A session is six keys at most, all with the same expiry:
 *
 * - `session`, a hash: the last seq, the fence, the turn that runs and until when its lease goes
 * - `messages`, a list of JSON: the history
 * - `frames`, a stream. Frame n has the id `n-0`, so that none can be there twice or out of order. The end of a turn
 *   leaves a mark with the id `<last seq>-<fence>`, which is how those who follow learn of it.
 * - `turns`, a list: of each ended turn whose frames are kept, when it ended, its last seq and the bytes of its frames
 * - `message-ids`, a hash: `m:<message id>` → fence, seq before and id of its turn; `r:<n>` → the message id of the
 *   turn whose fence is n in a ring, so that only the last ones are remembered
 * - `journal`, a list of JSON, while a turn runs: its origin, then the entries of its journal
 *
 * `owner` is the process that runs the turn, `claim` the attempt to begin it or to take it over that succeeded, which is
 * how the same attempt, made again because its answer was lost, is known.
 *
 * Time is the server's. The order within a script is such that what cannot be written fails before anything is.
 */
import { createHash } from "node:crypto";

export const SESSION_KEY_NAMES = [
  "session",
  "messages",
  "frames",
  "turns",
  "message-ids",
  "journal",
] as const;
/** Kind of a stream entry, its only field: a frame, the mark of a turn's end, or the id of a turn to be cancelled. */
export const ENTRY_KINDS = { frame: "f", end: "e", cancel: "c" } as const;
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
  local found = redis.call('HMGET', KEYS[1], 'turn', 'subject', 'seq', 'fence', 'lease', 'before', 'bytes', 'kept', 'cursor', 'messages', 'cancel', 'owner', 'claim')
  if not found[3] then
    if redis.call('EXISTS', KEYS[1]) == 1 then corrupt('the session has no seq') end
    return nil
  end
  local session = { turn = found[1], subject = found[2], owner = found[12] or '', claim = found[13] or '' }
  for index, field in ipairs({ 'seq', 'fence', 'lease', 'before', 'bytes', 'kept', 'cursor', 'messages', 'cancel' }) do
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
    'kept', session.kept, 'cursor', session.cursor, 'messages', session.messages,
    'cancel', session.cancel, 'owner', session.owner, 'claim', session.claim)
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

-- ARGV from 'from' on: JSON of each frame, the first of which has the seq 'first'.
local function append(session, first, from, count, maxBytes)
  for seq = session.seq + 1, first + count - 1 do
    local json = ARGV[from + seq - first]
    redis.call('XADD', KEYS[3], seq .. '-0', '${ENTRY_KINDS.frame}', json)
    session.seq = seq
    session.bytes = session.bytes + #json
  end
  -- Too many bytes: the oldest make way. The cursor is the seq of the last one that did.
  while session.bytes > maxBytes and session.cursor < session.seq - 1 do
    local page = redis.call('XRANGE', KEYS[3], (session.cursor + 1) .. '-0', (session.seq - 1) .. '-0', 'COUNT', 100)
    if #page == 0 then session.cursor = session.seq - 1 end
    for _, entry in ipairs(page) do
      if session.bytes <= maxBytes then break end
      redis.call('XDEL', KEYS[3], entry[1])
      session.bytes = session.bytes - #entry[2][2]
      session.cursor = tonumber(string.match(entry[1], '^%d+'))
    end
  end
end

-- How many entries of the journal there are; before them stands what the turn was begun with.
local function noted()
  return redis.call('LLEN', KEYS[6]) - 1
end

-- ARGV from 'from' on: JSON of each entry, the first of which is number 'first' of the turn, counted from 0.
local function note(have, first, from, count)
  for index = have - first, count - 1 do redis.call('RPUSH', KEYS[6], ARGV[from + index]) end
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
  session = { turn = '', seq = 0, fence = 0, lease = 0, before = 0, bytes = 0, kept = 0, cursor = 0, messages = 0,
    cancel = 0, owner = '', claim = '' }
  if subject then redis.call('HSET', KEYS[1], 'subject', subject) end
  save(session)
end
touch(session)
return 1
`),

  /** Answers: nil, or seq, subject or nil, id of the turn that has not ended or nil, 1 when that one runs. */
  find: script(`
local session = load()
if not session then return false end
touch(session)
return { session.seq, session.subject, session.turn ~= '' and session.turn, isRunning(session) and 1 or 0 }
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
   * ARGV: lease (ms), turn id, message id or '', the user's message, number of turns whose message ids are remembered,
   * owner, origin.
   * Answers: 'unknown-session' · 'in-progress', turn id · 'repeated', turn id, seq before, 1 when it is running ·
   * 'abandoned', turn id · 'started', fence, seq before.
   */
  beginTurn: script(`
local lease, turnId, messageId, message, remembered = tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local session = load()
if not session then return { 'unknown-session' } end

if session.turn == turnId and session.claim == turnId then
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
    if session.turn ~= turn then return { 'repeated', turn, before, 0 } end
    if isRunning(session) then return { 'repeated', turn, before, 1 } end
  end
end
if session.turn ~= '' then
  touch(session)
  return { isRunning(session) and 'in-progress' or 'abandoned', session.turn }
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
redis.call('RPUSH', KEYS[6], ARGV[10])
forget(session)
session.turn, session.fence, session.lease = turnId, fence, now + lease
session.claim, session.owner, session.cancel = turnId, ARGV[9], 0
session.before, session.bytes, session.cursor = session.seq, 0, session.seq
save(session)
touch(session)
return { 'started', fence, session.before }
`),

  /** ARGV: turn id, message id or ''. Answers: 1, or 0 when there was nothing to undo. */
  withdrawTurn: script(`
local turnId, messageId = ARGV[4], ARGV[5]
local session = load()
if not session or session.turn ~= turnId or session.claim ~= turnId or session.seq ~= session.before then return 0 end
redis.call('RPOP', KEYS[2])
session.messages = session.messages - 1
if messageId ~= '' then redis.call('HDEL', KEYS[5], 'm:' .. messageId) end
redis.call('UNLINK', KEYS[6])
-- Those who follow learn that nothing more comes.
redis.call('XADD', KEYS[3], session.seq .. '-' .. session.fence, '${ENTRY_KINDS.end}', '')
session.turn, session.lease, session.owner, session.claim = '', 0, '', ''
save(session)
touch(session)
return 1
`),

  /**
   * ARGV: lease (ms), claim, owner.
   * Answers: 'none' · 'running', turn id · 'taken', fence, seq before, seq, turn id, 1 when it is to be cancelled, the
   * user's message, what the journal holds.
   */
  takeOver: script(`
local lease, claim, owner = tonumber(ARGV[4]), ARGV[5], ARGV[6]
local session = load()
if not session or session.turn == '' then return { 'none' } end
local isRepeated = session.claim == claim
if isRunning(session) and not isRepeated then
  touch(session)
  return { 'running', session.turn }
end
local message = redis.call('LINDEX', KEYS[2], -1)
local journal = redis.call('LRANGE', KEYS[6], 0, -1)
if not message then corrupt('the message of the turn is missing') end
if #journal == 0 then corrupt('the journal of the turn is missing') end
if not isRepeated then
  local entry = '{"type":"taken-over"}'
  redis.call('RPUSH', KEYS[6], entry)
  journal[#journal + 1] = entry
  session.fence, session.claim = session.fence + 1, claim
end
session.owner, session.lease = owner, now + lease
save(session)
touch(session)
return { 'taken', session.fence, session.before, session.seq, session.turn, session.cancel, message, journal }
`),

  /**
   * ARGV: lease (ms), fence, bytes of frames kept of a turn, seq of the first frame, number of frames, number of the
   * first journal entry, number of entries, JSON of each frame, JSON of each entry.
   * Answers: 'ok', 1 when the turn is to be cancelled · 'lost' · 'gap', last seq, number of entries.
   */
  appendFrames: script(`
local lease, fence, maxBytes, first, count = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local firstEntry, entries = tonumber(ARGV[9]), tonumber(ARGV[10])
local session = load()
if not session or session.fence ~= fence or session.turn == '' then return { 'lost' } end
if count > 0 and first > session.seq + 1 then return { 'gap', session.seq, noted() } end
if entries > 0 then
  local have = noted()
  if firstEntry > have then return { 'gap', session.seq, noted() } end
  note(have, firstEntry, 11 + count, entries)
end
append(session, first, 11, count, maxBytes)
session.lease = now + lease
save(session)
touch(session)
return { 'ok', session.cancel }
`),

  /** ARGV: fence. Answers: 'ok' · 'lost'. */
  handOver: script(`
local session = load()
if not session or session.fence ~= tonumber(ARGV[4]) or session.turn == '' then return { 'lost' } end
session.lease = now
save(session)
touch(session)
return { 'ok' }
`),

  /** Answers: 'none' · 'requested' or 'abandoned', turn id, owner. */
  cancelTurn: script(`
local session = load()
if not session or session.turn == '' then return { 'none' } end
session.cancel = 1
save(session)
touch(session)
return { isRunning(session) and 'requested' or 'abandoned', session.turn, session.owner }
`),

  /** KEYS: the signals of one process. ARGV: how long they are kept (ms), turn id. Answers: nothing of interest. */
  signalCancel: script(`
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1024, '*', '${ENTRY_KINDS.cancel}', ARGV[5])
return redis.call('PEXPIRE', KEYS[1], ARGV[4])
`),

  /**
   * ARGV: fence, bytes of frames kept of a turn, seq of the first frame, number of frames, JSON of each, messages.
   * Answers: 'ok' · 'lost' · 'gap', last seq, number of entries.
   */
  endTurn: script(`
local fence, maxBytes, first, count = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local session = load()
if not session or session.fence ~= fence then return { 'lost' } end
if session.turn == '' then
  touch(session)
  return { 'ok' }
end
if count > 0 and first > session.seq + 1 then return { 'gap', session.seq, noted() } end
append(session, first, 8, count, maxBytes)
for index = 8 + count, #ARGV do
  redis.call('RPUSH', KEYS[2], ARGV[index])
  session.messages = session.messages + 1
end
redis.call('XADD', KEYS[3], session.seq .. '-' .. fence, '${ENTRY_KINDS.end}', '')
redis.call('UNLINK', KEYS[6])
keepTurn(session, now)
session.turn, session.lease, session.owner, session.claim = '', 0, '', ''
forget(session)
save(session)
touch(session)
return { 'ok' }
`),

  /**
   * ARGV: id of the stream entry before, number of entries. No activity.
   * Answers: nil, or how long the running turn's lease still goes (ms, 0 when none runs), the last seq, entries.
   */
  readFrames: script(`
local session = load()
if not session then return false end
forget(session)
local left = isRunning(session) and session.lease - now or 0
return { left, session.seq, redis.call('XRANGE', KEYS[3], '(' .. ARGV[4], '+', 'COUNT', ARGV[5]) }
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
