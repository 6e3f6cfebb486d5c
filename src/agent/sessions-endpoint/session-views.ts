/** Sessions as the HTTP API shows them, made of what the session store tells. */
import type {
  SessionMessage,
  SessionTimeline as SessionTimelineView,
  SessionView,
  TurnView,
} from "../../http-api/session-views.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import type { ListedSession, SessionTimeline } from "../sessions/session-listing.ts";
import type { TurnRecord } from "../sessions/turn-record.ts";
import { timestamp } from "../turns/timestamp.ts";

/** The owner and the subject of whoever asks. A store knows owners by a digest, and so nobody else's name. */
export interface ViewFor {
  readonly owner: string;
  readonly subject: string | undefined;
}

export function viewOfSession(session: ListedSession, caller: ViewFor): SessionView {
  const { owner, createdAt, lastActiveAt, expiresAt, ...others } = session;
  const isOwn = owner === caller.owner;
  return {
    ...others,
    createdAt: timestamp(createdAt),
    lastActiveAt: timestamp(lastActiveAt),
    expiresAt: timestamp(expiresAt),
    own: isOwn,
    ...(isOwn && caller.subject !== undefined ? { subject: caller.subject } : {}),
  };
}

export function viewOfTimeline(
  { session, messages, turns, lastSeq, keptAfter }: SessionTimeline,
  caller: ViewFor,
): SessionTimelineView {
  return {
    session: viewOfSession(session, caller),
    messages: messages.map(viewOfMessage),
    turns: turns.map(viewOfTurn),
    lastSeq,
    keptAfter,
  };
}

function viewOfTurn({ startedAt, firstChunkAt, endedAt, calls, ...others }: TurnRecord): TurnView {
  return {
    ...others,
    startedAt: timestamp(startedAt),
    ...(firstChunkAt === undefined ? {} : { firstChunkAt: timestamp(firstChunkAt) }),
    ...(endedAt === undefined ? {} : { endedAt: timestamp(endedAt) }),
    calls: calls.map((call) => ({ ...call, startedAt: timestamp(call.startedAt) })),
  };
}

/** What only a provider understands, and what only a turn goes on with, is left out. */
function viewOfMessage(message: HistoryMessage): SessionMessage {
  switch (message.role) {
    case "user": {
      const { role, turnId, content } = message;
      return { role, turnId, content };
    }
    case "assistant": {
      const { role, turnId, content, toolCalls, partial } = message;
      return {
        role,
        turnId,
        content,
        ...(toolCalls === undefined
          ? {}
          : {
              toolCalls: toolCalls.map(({ id, name, arguments: toolArguments }) => ({
                id,
                name,
                arguments: toolArguments,
              })),
            }),
        ...(partial === undefined ? {} : { partial }),
      };
    }
    case "tool": {
      const { role, turnId, toolCallId, toolName, result, error, state } = message;
      return {
        role,
        turnId,
        toolCallId,
        toolName,
        ...(result === undefined ? {} : { result }),
        ...(error === undefined ? {} : { error }),
        ...(state === undefined ? {} : { state }),
      };
    }
  }
}
