import { SessionExistsError } from "../../session-store.ts";
import { sessionOperation } from "../script/session-operation.ts";

/** The script answers 1, or 0 when the id is taken; then SessionExistsError is thrown. */
export const createSession = sessionOperation({
  arguments: { hasSubject: "number", givenSubject: "text" },
  lua: `
local session = load()
local subject = hasSubject == 1 and givenSubject
if session then
  if session.fence > 0 or session.subject ~= subject then return 0 end
else
  session = { turn = '', seq = 0, fence = 0, lease = 0, before = 0, bytes = 0, kept = 0, cursor = 0, messages = 0,
    cancel = 0, owner = '', claim = '' }
  if subject then redis.call('HSET', sessionKey, 'subject', subject) end
  save(session)
end
touch(session)
return 1
`,
  encode: ({ subject }: { subject?: string | undefined }) => ({
    hasSubject: subject === undefined ? 0 : 1,
    givenSubject: subject ?? "",
  }),
  read(reply) {
    if (reply !== 1) throw new SessionExistsError("there is a session with this id already");
  },
});
