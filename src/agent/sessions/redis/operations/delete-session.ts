import { asArray, asText } from "../script/reply.ts";
import { AGENT_FIELD } from "../script/session-functions.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { ENTRY_KINDS } from "../script/stream-entry.ts";

/** Those who follow the turn of a session that is deleted are told by what is left of its stream for this long, in milliseconds. */
const LAST_MARK_TTL_MS = 2_000;

export interface DeletedSession {
  readonly holder: string;
  /** The turn that had not ended, and the process that ran it. */
  readonly turn: { readonly id: string; readonly replica: string } | undefined;
}

/**
 * Deletes a session of this agent, also one that cannot be read. The script answers nil, or holder, turn, replica.
 */
export const deleteSession = sessionOperation({
  arguments: { markTtl: "number" },
  lua: `
local found = redis.pcall('HMGET', sessionKey, '${AGENT_FIELD}', 'holder', 'turn', 'replica', 'seq', 'fence')
if found.err or found[1] ~= agent then return false end
local holder, turn, replica = found[2] or '', found[3] or '', found[4] or ''
local seq, fence = tonumber(found[5]), tonumber(found[6])
redis.call('UNLINK', unpack(KEYS))
if turn ~= '' and seq and fence then
  redis.call('XADD', framesKey, seq .. '-' .. (fence + 1), '${ENTRY_KINDS.end}', '')
  redis.call('PEXPIRE', framesKey, markTtl)
end
return { holder, turn, replica }
`,
  encode: () => ({ markTtl: LAST_MARK_TTL_MS }),
  read(reply): DeletedSession | undefined {
    if (reply === null) return undefined;
    const [holder, turn, replica] = asArray(reply).map(asText);
    return {
      holder: holder ?? "",
      turn: turn ? { id: turn, replica: replica ?? "" } : undefined,
    };
  },
});
