import type { TakenOver } from "../../session-store.ts";
import { asArray, asText, unexpectedReply } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { readTakenTurn } from "../script/taken-turn.ts";

export interface TakeOverInput {
  sessionId: string;
  owner: string;
  claim: string;
  leaseMs: number;
  /** The process that is to go on with the turn. */
  replica: string;
  /** The name by which people know it. */
  replicaName: string | undefined;
}

/**
 * The script answers 'none' · 'running', turn id · 'taken', fence, seq before, seq, turn id, 1 when it is to be cancelled,
 * the user's message, what the journal holds, version, tokens of the turns before.
 */
export const takeOver = sessionOperation({
  arguments: { owner: "text", lease: "number", claim: "text", replica: "text", takenOver: "text" },
  lua: `
local session = loadOf(owner)
if not session or session.turn == '' then return { 'none' } end
local isRepeated = session.claim == claim
if isRunning(session) and not isRepeated then
  touch(session)
  return { 'running', session.turn }
end
local message = redis.call('LINDEX', messagesKey, -1)
local journal = redis.call('LRANGE', journalKey, 0, -1)
if not message then corrupt('the message of the turn is missing') end
if #journal == 0 then corrupt('the journal of the turn is missing') end
if not isRepeated then
  redis.call('RPUSH', journalKey, takenOver)
  journal[#journal + 1] = takenOver
  session.fence, session.claim = session.fence + 1, claim
end
session.replica, session.lease = replica, now + lease
save(session)
touch(session)
return { 'taken', session.fence, session.before, session.seq, session.turn, session.cancel, message, journal,
  session.version, tokensOf(session) }
`,
  encode: ({ owner, leaseMs, claim, replica, replicaName }: TakeOverInput) => ({
    owner,
    lease: leaseMs,
    claim,
    replica,
    takenOver: JSON.stringify({ type: "taken-over", replica: replicaName }),
  }),
  read(reply, { sessionId }): TakenOver {
    const [status, ...rest] = asArray(reply);
    switch (status) {
      case "none":
        return { status };
      case "running":
        return { status, turnId: asText(rest[0]) };
      case "taken":
        return { status, turn: readTakenTurn(rest, sessionId) };
      default:
        throw unexpectedReply();
    }
  },
});
