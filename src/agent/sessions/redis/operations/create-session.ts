import type { SessionClient } from "../../session-client.ts";
import { SessionExistsError } from "../../session-store.ts";
import { AGENT_FIELD, HOLDER_FIELD, OWNER_FIELD } from "../script/session-functions.ts";
import { sessionOperation } from "../script/session-operation.ts";

/** The script answers 1, or 0 when the id is taken; then SessionExistsError is thrown. */
export const createSession = sessionOperation({
  arguments: { owner: "text", holder: "text" },
  lua: `
local session = load()
if session then
  if session.fence > 0 or session.owner ~= owner then return 0 end
else
  session = newSession(holder)
  redis.call('HSET', sessionKey, '${OWNER_FIELD}', owner, '${HOLDER_FIELD}', holder, '${AGENT_FIELD}', agent, 'created', now)
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
