import { sessionOperation } from "../script/session-operation.ts";

/** A write that changes nothing: it shows whether this user, on this server, may run scripts and write. */
export const checkStore = sessionOperation({
  arguments: {},
  lua: `
return redis.call('PEXPIRE', sessionKey, 1)
`,
  encode: () => ({}),
  read: (): void => {},
});
