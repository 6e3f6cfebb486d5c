import type { SessionClient } from "../../session-client.ts";
import { SessionExistsError } from "../../session-store.ts";
import { HOLDER_FIELD, OWNER_FIELD } from "../script/session-functions.ts";
import { sessionOperation } from "../script/session-operation.ts";

/** The script answers 1, or 0 when the id is taken; then SessionExistsError is thrown. */
export const createSession = sessionOperation({
  arguments: { owner: "text", holder: "text" },
  lua: `
local session = load()
if session then
  if session.fence > 0 or session.owner ~= owner then return 0 end
else
  session = { turn = '', seq = 0, fence = 0, lease = 0, before = 0, bytes = 0, kept = 0, cursor = 0, messages = 0,
    cancel = 0, history = 0, replica = '', claim = '', version = '', waiting = '' }
  redis.call('HSET', sessionKey, '${OWNER_FIELD}', owner, '${HOLDER_FIELD}', holder)
  save(session)
end
touch(session)
return 1
`,
  encode: ({ owner, holder }: SessionClient) => ({ owner, holder }),
  read(reply) {
    if (reply !== 1) throw new SessionExistsError("there is a session with this id already");
  },
});
