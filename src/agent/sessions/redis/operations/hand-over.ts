import type { TurnLease } from "../../session-store.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { readWritten } from "../script/written-reply.ts";

/** The script answers as every write does. */
export const handOver = sessionOperation({
  arguments: { fence: "number" },
  lua: `
local session = load()
if not session then return { 'gone' } end
if session.fence ~= fence or session.turn == '' then return { 'lost' } end
session.lease = now
save(session)
touch(session)
return { 'ok' }
`,
  encode: ({ fence }: TurnLease) => ({ fence }),
  read(reply): void {
    readWritten(reply);
  },
});
