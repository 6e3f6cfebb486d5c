import type { TurnFrame } from "../../../../protocol/frames.ts";
import { MAX_FRAME_BYTES_PER_TURN, type TurnLease } from "../../session-store.ts";
import { firstSeqOf } from "../../stored-values.ts";
import type { JournalPart } from "../../turn-journal.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { readWritten } from "../script/written-reply.ts";

export interface AppendFramesInput {
  lease: TurnLease;
  leaseMs: number;
  frames: readonly TurnFrame[];
  journal: JournalPart;
}

/** The script answers as every write does; after 'ok', 1 when the turn is to be cancelled. */
export const appendFrames = sessionOperation({
  arguments: {
    lease: "number",
    fence: "number",
    maxBytes: "number",
    firstSeq: "number",
    firstEntry: "number",
    frames: "list",
    entries: "list",
  },
  lua: `
local session = load()
if not session then return { 'gone' } end
if session.fence ~= fence or session.turn == '' then return { 'lost' } end
if framesCount > 0 and firstSeq > session.seq + 1 then return { 'gap', session.seq, journaled() } end
if entriesCount > 0 then
  local known = journaled()
  if firstEntry > known then return { 'gap', session.seq, known } end
  for index = known - firstEntry, entriesCount - 1 do redis.call('RPUSH', journalKey, ARGV[entriesAt + index]) end
end
append(session, firstSeq, framesAt, framesCount, maxBytes)
session.lease = now + lease
save(session)
touch(session)
return { 'ok', session.cancel }
`,
  encode: ({ lease, leaseMs, frames, journal }: AppendFramesInput) => ({
    lease: leaseMs,
    fence: lease.fence,
    maxBytes: MAX_FRAME_BYTES_PER_TURN,
    firstSeq: firstSeqOf(frames) ?? 0,
    firstEntry: journal.first,
    frames: frames.map((frame) => JSON.stringify(frame)),
    entries: journal.entries.map((entry) => JSON.stringify(entry)),
  }),
  read: (reply): { isCancelled: boolean } => ({ isCancelled: readWritten(reply)[0] === 1 }),
});
