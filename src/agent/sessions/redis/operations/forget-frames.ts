import { sessionOperation } from "../script/session-operation.ts";

/** Forgets the frames whose time is over, without counting as activity. */
export const forgetFrames = sessionOperation({
  arguments: {},
  lua: `
local session = load()
if session then forget(session) end
return 1
`,
  encode: () => ({}),
  read: (): void => {},
});
