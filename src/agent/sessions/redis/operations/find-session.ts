import type { SessionSummary } from "../../session-store.ts";
import { parseStoredRequest } from "../../stored-values.ts";
import { asArray, asNumber, asText } from "../script/reply.ts";
import { readShare, type SessionShare } from "../script/session-share.ts";
import { sessionOperation } from "../script/session-operation.ts";

export interface FoundSession {
  readonly summary: SessionSummary;
  readonly share: SessionShare;
}

/** The script answers nil, or seq, id of the turn that has not ended or nil, 1 when that one runs, share, requests of the calls that wait, version. */
export const findSession = sessionOperation({
  arguments: { owner: "text" },
  lua: `
local session = loadOf(owner)
if not session then return false end
touch(session)
return { session.seq, session.turn ~= '' and session.turn, isRunning(session) and 1 or 0,
  shareOf(session), openRequests(session), session.version }
`,
  encode: ({ owner }: { owner: string }) => ({ owner }),
  read(reply): FoundSession | undefined {
    if (reply === null) return undefined;
    const [lastSeq, turnId, runs, share, requests, version] = asArray(reply);
    const unended = typeof turnId === "string" ? turnId : undefined;
    const isRunning = runs === 1;
    const open = asArray(requests).map((text) => parseStoredRequest(asText(text)));
    return {
      summary: {
        lastSeq: asNumber(lastSeq),
        runningTurnId: isRunning ? unended : undefined,
        abandonedTurnId: isRunning ? undefined : unended,
        waiting:
          open.length === 0
            ? undefined
            : {
                requests: open.toSorted((one, other) => one.seq - other.seq),
                promptVersion: asText(version) || undefined,
              },
      },
      share: readShare(asArray(share)),
    };
  },
});
