import { defineOperation } from "../script/operation.ts";
import { asNumber } from "../script/reply.ts";

export interface CountTokensInput {
  /** Names the process that has used them. */
  readonly replica: string;
  /** All that the process has used on the day. */
  readonly used: number;
  readonly ttlMs: number;
}

/**
 * Writes down what one process has used of a day's tokens, and answers what all have used. The key is a hash: process → what it has
 * used, and '' → the sum. So a call that is made twice counts once.
 */
export const countTokens = defineOperation({
  keys: ["tokensKey"],
  arguments: { replica: "text", used: "number", ttl: "number" },
  lua: `
local before = tonumber(redis.call('HGET', tokensKey, replica)) or 0
if used > before then
  redis.call('HSET', tokensKey, replica, string.format('%.0f', used))
  redis.call('HINCRBY', tokensKey, '', string.format('%.0f', used - before))
  redis.call('PEXPIRE', tokensKey, ttl)
end
return tonumber(redis.call('HGET', tokensKey, '')) or 0
`,
  encode: ({ replica, used, ttlMs }: CountTokensInput) => ({ replica, used, ttl: ttlMs }),
  read: asNumber,
});
