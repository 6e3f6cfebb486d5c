import { BIG_SESSION_BYTES } from "../../session-store.ts";
import { defineOperation } from "../script/operation.ts";
import type { SessionShare } from "../script/session-share.ts";
import { asArray, asText } from "../script/reply.ts";

export interface AccountSessionsInput {
  /** By session id. Undefined: the session is gone. */
  readonly shares: ReadonlyMap<string, Pick<SessionShare, "size" | "fence"> | undefined>;
  readonly ttlMs: number;
  readonly maxBytes: number;
}

/**
 * Writes down what sessions of one holder take, and answers which ones are to go because all together take too much: those
 * that were written down the longest time ago, first the big ones among them, and never the last one.
 *
 * `sizes` is a hash: session id → bytes and fence, and '' → the sum of the bytes. What is said under an older fence is not
 * written down. `expiries` is a sorted set of session ids by when they expire,
 * unless they are written down again before. A bounded piece of the work is done at a time.
 */
export const accountSessions = defineOperation({
  keys: ["sizesKey", "expiriesKey"],
  arguments: { ttl: "number", maxBytes: "number", bigBytes: "number", entries: "list" },
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local total = tonumber(redis.call('HGET', sizesKey, '')) or 0

local function read(text)
  local size, fence = string.match(text or '', '^(%d+) (%d+)$')
  return tonumber(size) or 0, tonumber(fence) or 0
end

local function account(id, size, fence)
  local oldSize, oldFence = read(redis.call('HGET', sizesKey, id))
  if fence < oldFence then size, fence = oldSize, oldFence end
  if fence == oldFence then size = math.max(size, oldSize) end
  total = total - oldSize + size
  redis.call('HSET', sizesKey, id, size .. ' ' .. fence)
  redis.call('ZADD', expiriesKey, now + ttl, id)
end

local function drop(id)
  total = total - read(redis.call('HGET', sizesKey, id))
  redis.call('HDEL', sizesKey, id)
  redis.call('ZREM', expiriesKey, id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiriesKey, '-inf', now, 'LIMIT', 0, 1000)) do drop(id) end
for at = entriesAt, entriesAt + entriesCount - 1, 3 do
  local id, size, fence = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if fence then account(id, size, fence) else drop(id) end
end
if redis.call('EXISTS', expiriesKey) == 0 then total = 0 end
redis.call('HSET', sizesKey, '', total)
redis.call('PEXPIRE', sizesKey, ttl)
redis.call('PEXPIRE', expiriesKey, ttl)

local excess = total - maxBytes
if excess <= 0 then return {} end
local oldest = redis.call('ZRANGE', expiriesKey, 0, 999)
if #oldest < 1000 then table.remove(oldest) end
if #oldest == 0 then return {} end
local sizes = redis.call('HMGET', sizesKey, unpack(oldest))
local leaving = {}
for _, isBigTurn in ipairs({ true, false }) do
  for index, id in ipairs(oldest) do
    if excess <= 0 then break end
    local size = read(sizes[index])
    if (size > bigBytes) == isBigTurn then
      leaving[#leaving + 1] = id
      excess = excess - size
    end
  end
end
return leaving
`,
  encode: ({ shares, ttlMs, maxBytes }: AccountSessionsInput) => ({
    ttl: ttlMs,
    maxBytes,
    bigBytes: BIG_SESSION_BYTES,
    entries: [...shares].flatMap(([sessionId, share]) => [
      sessionId,
      String(share?.size ?? ""),
      String(share?.fence ?? ""),
    ]),
  }),
  read: (reply): string[] => asArray(reply).map(asText),
});
