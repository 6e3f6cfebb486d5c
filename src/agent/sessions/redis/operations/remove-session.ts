import { sessionOperation } from "../script/session-operation.ts";

/** The script answers 1, or 0 when the session stays because its turn has not ended. */
export const removeSession = sessionOperation({
  arguments: {},
  lua: `
local session = load()
if session and session.turn ~= '' then return 0 end
redis.call('UNLINK', unpack(KEYS))
return 1
`,
  encode: () => ({}),
  read: (reply): boolean => reply === 1,
});
