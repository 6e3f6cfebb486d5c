import type { SessionSummary } from "../../session-store.ts";
import { asArray, asNumber } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";

/** The script answers nil, or seq, id of the turn that has not ended or nil, 1 when that one runs. */
export const findSession = sessionOperation({
  arguments: { owner: "text" },
  lua: `
local session = loadOf(owner)
if not session then return false end
touch(session)
return { session.seq, session.turn ~= '' and session.turn, isRunning(session) and 1 or 0 }
`,
  encode: ({ owner }: { owner: string }) => ({ owner }),
  read(reply): SessionSummary | undefined {
    if (reply === null) return undefined;
    const [lastSeq, turnId, runs] = asArray(reply);
    const unended = typeof turnId === "string" ? turnId : undefined;
    const isRunning = runs === 1;
    return {
      lastSeq: asNumber(lastSeq),
      runningTurnId: isRunning ? unended : undefined,
      abandonedTurnId: isRunning ? undefined : unended,
    };
  },
});
