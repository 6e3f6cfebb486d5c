/** The begin of a turn in a session, and its withdrawal. Whether either may be is decided before. */
import type { BegunTurn, NewTurn, TurnLease } from "../session-store.ts";
import { tokensOf } from "../session-counts.ts";
import { titleOf } from "../session-title.ts";
import type { KeptMessage } from "./kept-messages.ts";
import type { MemorySession } from "./memory-session.ts";
import { endWait } from "./waiting-turn.ts";

export function started(session: MemorySession, lease: TurnLease): BegunTurn {
  const { promptVersion, counts } = session;
  return { status: "started", lease, promptVersion, sessionTokens: tokensOf(counts) || undefined };
}

/** `message`: the user's. */
export function beginIn(
  session: MemorySession,
  turn: NewTurn,
  { message, now, leaseUntil }: { message: KeptMessage; now: number; leaseUntil: number },
): TurnLease {
  const { turnId, messageId, userMessage, promptVersions } = turn;
  const isFirst = session.messages.length === 0 && session.records.length === 0;
  if (isFirst) session.title = titleOf(userMessage);
  endWait(session);
  session.frames.forgetOld(now);
  const seqBefore = session.lastSeq;
  session.fence += 1;
  const lease: TurnLease = { sessionId: session.id, turnId, fence: session.fence, seqBefore };
  const { promptVersion = "" } = session;
  if (promptVersions !== undefined && !promptVersions.kept.includes(promptVersion)) {
    session.promptVersion = promptVersions.fresh;
  }
  session.messages.add(message);
  session.frames.beginTurn(seqBefore);
  session.unended = {
    lease,
    leaseUntil,
    claim: turnId,
    begun: turn,
    firstTurnId: turnId,
    journal: [],
    journalBytes: 0,
    isCancelled: false,
    onCancel: undefined,
  };
  session.messageIds.add(messageId, { fence: session.fence, turnId, seqBefore });
  return lease;
}

/** The session is as if the message of its turn had not been sent. */
export function withdrawIn(
  session: MemorySession,
  { messageId, now }: { messageId: string | undefined; now: number },
): void {
  session.messages.removeLast(1);
  if (session.messages.length === 0 && session.records.length === 0) session.title = "";
  if (messageId !== undefined) session.messageIds.delete(messageId);
  session.unended = undefined;
  session.frames.endTurn(now);
}
