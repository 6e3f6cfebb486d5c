import type { ApprovalRequestFrame } from "../../../protocol/frames.ts";
import { tokensOf } from "../session-counts.ts";
import type { AbandonedTurn } from "../session-store.ts";
import { wentOn, type CallAnswer, type WaitingCalls } from "../waiting-calls.ts";
import { bytesOfText } from "./kept-messages.ts";
import {
  bytesOfEntries,
  entryOf,
  type MemorySession,
  type UnendedTurn,
  type WaitingTurn,
} from "./memory-session.ts";

/** The session waits for the answers to these requests, of a turn that ends now and has this many messages. */
export function beginWait(
  session: MemorySession,
  requests: readonly ApprovalRequestFrame[],
  { turn, messages }: { turn: UnendedTurn; messages: number },
): void {
  const bytes = turn.journalBytes + bytesOfText(JSON.stringify(requests));
  session.bytes += bytes;
  session.waiting = {
    begun: turn.begun,
    firstTurnId: turn.firstTurnId,
    journal: turn.journal,
    bytes,
    messages,
    calls: new Map(requests.map((request) => [request.approval.id, request])),
  };
}

export function endWait(session: MemorySession): void {
  session.bytes -= session.waiting?.bytes ?? 0;
  session.waiting = undefined;
}

export function openRequests({ waiting, promptVersion }: MemorySession): WaitingCalls | undefined {
  if (waiting === undefined) return undefined;
  const requests = [...waiting.calls.values()].filter((call) => typeof call !== "string");
  return { requests, promptVersion };
}

/** Takes the answer. Answers `complete` when it was the last one that the session waits for. */
export function takeAnswer(
  session: MemorySession,
  { entry, turnId }: CallAnswer,
): "complete" | "recorded" | "not-open" {
  const { waiting } = session;
  const call = waiting?.calls.get(entry.id);
  if (waiting === undefined || call === undefined) return "not-open";
  if (typeof call === "string") return call === turnId ? "recorded" : "not-open";
  waiting.calls.set(entry.id, turnId);
  waiting.journal.push(entry);
  const bytes = bytesOfEntries([entry]);
  waiting.bytes += bytes;
  session.bytes += bytes;
  const isOpen = [...waiting.calls.values()].some((each) => typeof each !== "string");
  return isOpen ? "recorded" : "complete";
}

/** The session waits no more: a turn begins that goes on behind the journal of the one that waited. */
export function goOn(
  session: MemorySession,
  waiting: WaitingTurn,
  { answer, leaseUntil }: { answer: CallAnswer; leaseUntil: number },
): UnendedTurn {
  const { turnId } = answer;
  endWait(session);
  session.messages.removeLast(waiting.messages);
  waiting.journal.push(wentOn(answer));
  const journalBytes = bytesOfEntries(waiting.journal);
  session.bytes += journalBytes;
  session.fence += 1;
  const { id: sessionId, fence, lastSeq: seqBefore } = session;
  session.frames.beginTurn(seqBefore);
  session.unended = {
    lease: { sessionId, turnId, fence, seqBefore },
    leaseUntil,
    claim: turnId,
    begun: waiting.begun,
    firstTurnId: waiting.firstTurnId,
    journal: waiting.journal,
    journalBytes,
    isCancelled: false,
    onCancel: undefined,
  };
  return session.unended;
}

/** What another process, or this one, is told of a turn that it is to go on with. */
export function takenTurn(
  turn: UnendedTurn,
  { lastSeq, promptVersion, counts }: Pick<MemorySession, "lastSeq" | "promptVersion" | "counts">,
): AbandonedTurn {
  const { userMessage, messageId, origin } = turn.begun;
  const goesOn = turn.firstTurnId !== turn.lease.turnId;
  return {
    lease: turn.lease,
    lastSeq,
    userMessage,
    messageId: goesOn ? undefined : messageId,
    firstTurnId: goesOn ? turn.firstTurnId : undefined,
    origin: { ...origin, ...(promptVersion === undefined ? {} : { promptVersion }) },
    journal: turn.journal.map(entryOf),
    sessionTokens: tokensOf(counts) || undefined,
    isCancelled: turn.isCancelled,
  };
}
