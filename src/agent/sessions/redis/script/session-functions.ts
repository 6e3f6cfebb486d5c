/**
 * What the scripts on a session have in common, as Lua that runs inside Redis. Time is the server's. The order within a script
 * is such that what cannot be written fails before anything is.
 *
 * `owner` is whose session it is. `replica` is the process that runs the turn. `claim` is the attempt to begin the turn, or to take it over, that succeeded:
 * so the same attempt is known when it is made again because its answer was lost. `version` is that of the prompt pack. `waiting`
 * is '' unless calls wait for an approval: then it has how many, how many messages are taken back when all are approved or
 * denied, and the bytes that are kept for the turn that goes on. `summary` is what the turns that have ended come to: their number,
 * their calls of tools, tokens in and out, and the bytes of the records that are kept of them.
 */
import {
  MAX_HISTORY_BYTES_PER_SESSION,
  MESSAGE_OVERHEAD_BYTES,
  SESSION_OVERHEAD_BYTES,
} from "../../session-store.ts";
import { USER_MESSAGE_START } from "../../stored-values.ts";
import { ENTRY_KINDS } from "./stream-entry.ts";

/** What a script says, somewhere in its error, when a key does not hold what it should. */
export const CORRUPT = "OMNIA_CORRUPT";

/**
 * What the hash calls the owner. Versions before wrote the subject into this field, or nothing: no owner is like that, so
 * neither they nor this one take a session of the other for their client's.
 */
export const OWNER_FIELD = "subject";

/** What the hash calls the holder; older versions wrote none. */
export const HOLDER_FIELD = "holder";

/** What the hash calls the agent whose session it is; older versions wrote none. */
export const AGENT_FIELD = "agent";

/** What the hash calls the cost of the turns that have ended, as `stored-cost.ts` has it. It is there once a turn had one. */
export const COST_FIELD = "cost";

const TEXTS = ["turn", "replica", "claim", "version", "waiting", "summary"];

/** What the field of a call that waits begins with. It holds the request, or `=` and who has answered it. */
export const REQUEST_FIELD = "a:";

const NUMBERS = [
  "seq",
  "fence",
  "lease",
  "before",
  "bytes",
  "kept",
  "cursor",
  "messages",
  "cancel",
  "history",
];
/** A session keeps the owner and the holder that it was created with. */
const SAVED = [...TEXTS, ...NUMBERS];

/** Messages that one turn's end takes out of the history, about. */
const MAX_DROPPED_MESSAGES = 10_000;

const quoted = (fields: readonly string[]): string =>
  fields.map((field) => `'${field}'`).join(", ");

/** Uses the variables of the keys of a session and of its limits. */
export const SESSION_FUNCTIONS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function corrupt(what)
  error('${CORRUPT}: ' .. what)
end

local function load()
  local found = redis.call('HMGET', sessionKey, ${quoted([...SAVED, OWNER_FIELD, HOLDER_FIELD, AGENT_FIELD])})
  local session = { ${TEXTS.map((field, index) => `${field} = found[${index + 1}]`).join(", ")} }
  for index, field in ipairs({ ${quoted(NUMBERS)} }) do
    local value = tonumber(found[${TEXTS.length} + index])
    -- Versions before did not count it. Their sessions are nobody's, and are to be found as such.
    if not value and field == 'history' then value = 0 end
    if not value or value < 0 or value ~= math.floor(value) then
      if field == 'seq' and redis.call('EXISTS', sessionKey) == 0 then return nil end
      corrupt('the session has no ' .. field)
    end
    session[field] = value
  end
  if not session.turn then corrupt('the session has no turn') end
  session.replica, session.claim = session.replica or '', session.claim or ''
  session.version, session.waiting = session.version or '', session.waiting or ''
  session.summary, session.agent = session.summary or '', found[${SAVED.length + 3}]
  session.owner, session.holder = found[${SAVED.length + 1}], found[${SAVED.length + 2}] or ''
  return session
end

local function newSession(holder)
  return { turn = '', seq = 0, fence = 0, lease = 0, before = 0, bytes = 0, kept = 0, cursor = 0, messages = 0,
    cancel = 0, history = 0, replica = '', claim = '', version = '', waiting = '', summary = '', holder = holder }
end

-- A session of another owner is as unknown as one that is not there. An owner's sessions are all of one agent.
local function loadOf(owner)
  local session = load()
  if not session or session.owner ~= owner then return nil end
  if not session.agent then redis.call('HSET', sessionKey, '${AGENT_FIELD}', agent, 'created', now) end
  return session
end

-- A session of another agent is as unknown as one that is not there.
local function loadOfAgent()
  local session = load()
  return session and session.agent == agent and session
end

local function save(session)
  redis.call('HSET', sessionKey, ${SAVED.map((field) => `'${field}', session.${field}`).join(", ")})
end

-- Activity: everything of the session expires at one time. A turn that runs outlasts a shorter ttl.
local function touch(session)
  local expiry = now + ttl
  if session.turn ~= '' and session.lease > expiry then expiry = session.lease end
  for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, expiry) end
end

local function isRunning(session)
  return session.turn ~= '' and session.lease > now
end

local function summaryOf(session)
  local turns, calls, input, output, recorded = string.match(session.summary, '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  return tonumber(turns) or 0, tonumber(calls) or 0, tonumber(input) or 0, tonumber(output) or 0, tonumber(recorded) or 0
end

local function tokensOf(session)
  local _, _, input, output = summaryOf(session)
  return input + output
end

-- What a list tells of the session.
local function describe(session)
  local title, created, cost = unpack(redis.call('HMGET', sessionKey, 'title', 'created', '${COST_FIELD}'))
  local last = redis.pcall('LINDEX', turnLogKey, -1)
  local first = not title and redis.call('LINDEX', messagesKey, 0)
  return { session.owner, title, created, redis.call('PTTL', sessionKey), now, session.turn, session.waiting,
    session.version, session.summary, type(last) == 'string' and last or '', first or '', cost or '' }
end

-- What the session takes, about, and who answers for it.
local function shareOf(session)
  local waiting = tonumber(string.match(session.waiting, '%d+$')) or 0
  local recorded = tonumber(string.match(session.summary, '%d+$')) or 0
  local size = ${SESSION_OVERHEAD_BYTES} + session.history + session.kept + session.bytes + waiting + recorded
  return { session.holder, size, session.fence }
end

local function messageBytes(message)
  return #message + ${MESSAGE_OVERHEAD_BYTES}
end

-- Forgets the oldest turns, each as a whole, while there are too many bytes of messages. The last 'newest' messages stay, and
-- of a great many messages the rest goes with the turns that follow, because Redis does nothing else meanwhile.
local function forgetOldTurns(session, newest)
  local older = session.messages - newest
  local isWhole, dropped = session.history <= ${MAX_HISTORY_BYTES_PER_SESSION}, 0
  while not isWhole and older > 0 do
    -- About a megabyte at a time.
    local count = math.min(older, 1000, math.ceil(1048576 * session.messages / (session.history + 1)))
    local page = redis.call('LRANGE', messagesKey, 0, count - 1)
    local gone = 0
    for _, message in ipairs(page) do
      isWhole = (session.history <= ${MAX_HISTORY_BYTES_PER_SESSION} or dropped >= ${MAX_DROPPED_MESSAGES})
        and string.sub(message, 1, ${USER_MESSAGE_START.length}) == '${USER_MESSAGE_START}'
      if isWhole then break end
      session.history = math.max(0, session.history - messageBytes(message))
      gone, dropped = gone + 1, dropped + 1
    end
    if #page == 0 then corrupt('there are fewer messages than there were') end
    redis.call('LTRIM', messagesKey, gone, -1)
    session.messages, older = session.messages - gone, older - gone
  end
end

-- Forgets frames of turns that ended long ago; a bounded piece of the work at a time.
local function forget(session)
  local last
  for _ = 1, 64 do
    local record = redis.call('LINDEX', turnsKey, 0)
    if not record then break end
    local ended, seq, bytes = string.match(record, '^(%d+) (%d+) (%d+)$')
    if not ended then corrupt('an ended turn is not readable') end
    if tonumber(ended) + retention > now and session.kept <= maxKept then break end
    redis.call('LPOP', turnsKey)
    session.kept = math.max(0, session.kept - tonumber(bytes))
    last = tonumber(seq)
  end
  if last then
    redis.call('XTRIM', framesKey, 'MINID', (last + 1) .. '-0')
    redis.call('HSET', sessionKey, 'kept', session.kept)
  end
end

-- Adds frames, given as JSON in ARGV from the position 'at' on; the first of them has the seq 'first'.
local function append(session, first, at, count, maxBytes)
  for seq = session.seq + 1, first + count - 1 do
    local json = ARGV[at + seq - first]
    redis.call('XADD', framesKey, seq .. '-0', '${ENTRY_KINDS.frame}', json)
    session.seq = seq
    session.bytes = session.bytes + #json
  end
  -- When there are too many bytes, the oldest frames make way. The cursor is the seq of the last one that did.
  while session.bytes > maxBytes and session.cursor < session.seq - 1 do
    local page = redis.call('XRANGE', framesKey, (session.cursor + 1) .. '-0', (session.seq - 1) .. '-0', 'COUNT', 100)
    if #page == 0 then session.cursor = session.seq - 1 end
    for _, entry in ipairs(page) do
      if session.bytes <= maxBytes then break end
      local id, fields = entry[1], entry[2]
      redis.call('XDEL', framesKey, id)
      session.bytes = session.bytes - #fields[2]
      session.cursor = tonumber(string.match(id, '^%d+'))
    end
  end
end

-- The requests of the calls that wait and have no answer.
local function openRequests(session)
  local open = {}
  if session.waiting == '' then return open end
  local fields = redis.call('HGETALL', sessionKey)
  for at = 1, #fields, 2 do
    local isRequest = string.sub(fields[at], 1, ${REQUEST_FIELD.length}) == '${REQUEST_FIELD}'
    if isRequest and string.sub(fields[at + 1], 1, 1) == '{' then open[#open + 1] = fields[at + 1] end
  end
  return open
end

-- Nothing waits any more.
local function endWait(session)
  session.waiting = ''
  for _, field in ipairs(redis.call('HKEYS', sessionKey)) do
    if string.sub(field, 1, ${REQUEST_FIELD.length}) == '${REQUEST_FIELD}' then redis.call('HDEL', sessionKey, field) end
  end
end

-- How many entries of the journal there are; before them stands what the turn was begun with.
local function journaled()
  return redis.call('LLEN', journalKey) - 1
end
`;
