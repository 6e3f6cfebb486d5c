import type { NewTurn } from "../../session-store.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { ENTRY_KINDS } from "../script/stream-entry.ts";

/** The script answers 1, or 0 when there was nothing to undo. */
export const withdrawTurn = sessionOperation({
  arguments: { turnId: "text", messageId: "text" },
  lua: `
local session = load()
if not session or session.turn ~= turnId or session.claim ~= turnId or session.seq ~= session.before then return 0 end
local message = redis.call('RPOP', messagesKey)
if message then session.history = math.max(0, session.history - messageBytes(message)) end
session.messages = session.messages - 1
if session.messages == 0 then redis.call('HDEL', sessionKey, 'title') end
if messageId ~= '' then redis.call('HDEL', messageIdsKey, 'm:' .. messageId) end
redis.call('UNLINK', journalKey)
-- Those who follow learn that nothing more comes.
redis.call('XADD', framesKey, session.seq .. '-' .. session.fence, '${ENTRY_KINDS.end}', '')
session.turn, session.lease, session.replica, session.claim = '', 0, '', ''
save(session)
touch(session)
return 1
`,
  encode: ({ turnId, messageId }: Pick<NewTurn, "turnId" | "messageId">) => ({
    turnId,
    messageId: messageId ?? "",
  }),
  read: (): void => {},
});
