import { asArray, asNumber } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { parseEntries, type StreamEntry } from "../script/stream-entry.ts";

/** The most entries that one page has. */
export const FRAMES_PER_PAGE = 128;

export interface FramesPage {
  /** How long the lease of the turn that runs still goes, in milliseconds; 0 when none runs. */
  readonly leaseLeft: number;
  readonly lastSeq: number;
  readonly entries: readonly StreamEntry[];
}

/**
 * Reads the entries behind the one with the id `afterId`, without counting as activity.
 *
 * The script answers nil, or how long the running turn's lease still goes, the last seq, the entries.
 */
export const readFrames = sessionOperation({
  arguments: { afterId: "text", count: "number" },
  lua: `
local session = load()
if not session then return false end
forget(session)
local left = isRunning(session) and session.lease - now or 0
return { left, session.seq, redis.call('XRANGE', framesKey, '(' .. afterId, '+', 'COUNT', count) }
`,
  encode: ({ afterId }: { afterId: string }) => ({ afterId, count: FRAMES_PER_PAGE }),
  read(reply): FramesPage | undefined {
    if (reply === null) return undefined;
    const [leaseLeft, lastSeq, entries] = asArray(reply);
    return {
      leaseLeft: asNumber(leaseLeft),
      lastSeq: asNumber(lastSeq),
      entries: parseEntries(entries),
    };
  },
});
