import type { ListedSession, SessionTimeline } from "../session-listing.ts";
import type { SessionSummary } from "../session-store.ts";
import type { TurnRecord } from "../turn-record.ts";
import { unendedRecord } from "../unended-record.ts";
import { entryOf, type MemorySession } from "./memory-session.ts";
import { openRequests } from "./waiting-turn.ts";

interface SessionTimes {
  readonly lastActiveAt: number;
  readonly expiresAt: number;
}

export function describeSession(
  session: MemorySession,
  { lastActiveAt, expiresAt }: SessionTimes,
): ListedSession {
  const last = session.records.last;
  return {
    id: session.id,
    owner: session.owner,
    title: session.title,
    createdAt: session.createdAt,
    lastActiveAt,
    expiresAt,
    ...session.counts,
    state: stateOf(session, last),
    packVersion: session.promptVersion,
    workflowState: last?.workflowState,
  };
}

export function summaryOf(session: MemorySession, isRunning: boolean): SessionSummary {
  const turnId = session.unended?.lease.turnId;
  return {
    lastSeq: session.lastSeq,
    runningTurnId: isRunning ? turnId : undefined,
    abandonedTurnId: isRunning ? undefined : turnId,
    waiting: openRequests(session),
  };
}

export function timelineOf(session: MemorySession, times: SessionTimes): SessionTimeline {
  const { unended, promptVersion } = session;
  const turns = structuredClone(session.records.toArray());
  if (unended !== undefined) {
    const { lease, begun, firstTurnId, journal } = unended;
    const goesOn = firstTurnId !== lease.turnId;
    turns.push(
      unendedRecord({
        turnId: lease.turnId,
        firstTurnId: goesOn ? firstTurnId : undefined,
        messageId: goesOn ? undefined : begun.messageId,
        origin: { ...begun.origin, ...(promptVersion !== undefined && { promptVersion }) },
        journal: journal.map(entryOf),
        unknownStart: times.lastActiveAt,
      }),
    );
  }
  const firstKept = session.frames.firstSeq;
  return {
    session: describeSession(session, times),
    messages: session.messages.toArray(),
    turns,
    lastSeq: session.lastSeq,
    keptAfter: firstKept === undefined ? session.lastSeq : firstKept - 1,
    unreadable: [],
  };
}

function stateOf(
  { unended, waiting }: MemorySession,
  last: TurnRecord | undefined,
): ListedSession["state"] {
  if (unended !== undefined) return "running";
  if (waiting !== undefined) return "waiting";
  return last?.error === undefined ? "idle" : "failed";
}
