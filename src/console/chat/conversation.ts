/**
 * A conversation as a page shows it. One function feeds it with what the session remembers, with frames that come again after a
 * reload, and with frames as they come; each frame counts once, by its `seq`. What the frames told of a turn and what the session
 * remembers of it are kept apart here, and turn-view.ts puts them together.
 */
import type { SessionTimeline } from "../../http-api/session-views.ts";
import type { ConnectionErrorFrame, ServerFrame, TurnFrame } from "../../protocol/frames.ts";
import { recordedTurns, type RecordedTurn } from "./recorded-turn.ts";
import { beginTold, tellOn, type ToldTurn } from "./told-turn.ts";

/** The most turns that are kept; the oldest go first. The server keeps as many. */
export const MAX_TURNS = 1_000;

export interface Turn {
  /** Stays the same for as long as the turn is shown. */
  readonly key: string;
  /** Undefined until the server has told of it. */
  readonly id: string | undefined;
  readonly messageId: string | undefined;
  /** What was said by this page, and when, in milliseconds since 1970. */
  readonly sent: { readonly content: string; readonly at: number } | undefined;
  readonly told: ToldTurn | undefined;
  readonly recorded: RecordedTurn | undefined;
  /** How many parts were there when the connection was lost in its middle. */
  readonly brokenAfter: number | undefined;
}

export interface Conversation {
  readonly sessionId: string | undefined;
  /** Oldest first. */
  readonly turns: readonly Turn[];
  /** The last `seq` that came in a frame. */
  readonly seq: number | undefined;
  /** Frames up to this one are no longer kept by the server, and never came. */
  readonly forgottenUpTo: number | undefined;
  /** The session that went before, which has ended: the messages went to a new one. */
  readonly endedSessionId: string | undefined;
}

export type ConversationEvent =
  | { readonly type: "history"; readonly timeline: SessionTimeline }
  | { readonly type: "frame"; readonly frame: ServerFrame }
  | {
      readonly type: "sent";
      readonly messageId: string;
      readonly content: string;
      readonly at: number;
    }
  /** The server did not take the message. */
  | { readonly type: "refused"; readonly messageId: string }
  /** The connection was lost. */
  | { readonly type: "lost" };

export const NO_CONVERSATION: Conversation = {
  sessionId: undefined,
  turns: [],
  seq: undefined,
  forgottenUpTo: undefined,
  endedSessionId: undefined,
};

export function reduce(conversation: Conversation, event: ConversationEvent): Conversation {
  switch (event.type) {
    case "history":
      return withHistory(conversation, event.timeline);
    case "frame":
      return withFrame(conversation, event.frame);
    case "sent": {
      const { messageId, content, at } = event;
      const turn: Turn = { ...newTurn(messageId), messageId, sent: { content, at } };
      return withTurns(conversation, [...conversation.turns, turn]);
    }
    case "refused":
      return withTurns(
        conversation,
        conversation.turns.filter((turn) => !isPending(turn) || turn.messageId !== event.messageId),
      );
    case "lost":
      return withTurns(conversation, conversation.turns.map(broken));
  }
}

function newTurn(key: string): Turn {
  return {
    key,
    id: undefined,
    messageId: undefined,
    sent: undefined,
    told: undefined,
    recorded: undefined,
    brokenAfter: undefined,
  };
}

/** The server has not told of the turn. */
export function isPending(turn: Turn): boolean {
  return turn.id === undefined;
}

function withTurns(conversation: Conversation, turns: readonly Turn[]): Conversation {
  return { ...conversation, turns: turns.length > MAX_TURNS ? turns.slice(-MAX_TURNS) : turns };
}

function broken(turn: Turn): Turn {
  const { told } = turn;
  if (told === undefined || told.end !== undefined || turn.brokenAfter !== undefined) return turn;
  return { ...turn, brokenAfter: told.parts.length };
}

function withHistory(conversation: Conversation, timeline: SessionTimeline): Conversation {
  const { id } = timeline.session;
  const same = conversation.sessionId === id ? conversation : inSession(conversation, id);
  const recorded = recordedTurns(timeline.messages, timeline.turns);
  const known = new Map(
    same.turns.flatMap((turn) => (turn.id === undefined ? [] : [[turn.id, turn]])),
  );
  const pendingOf = new Map(
    same.turns.flatMap((turn) => (isPending(turn) ? [[turn.messageId, turn]] : [])),
  );
  const listed: Turn[] = [];
  const used = new Set<Turn>();
  for (const [turnId, each] of recorded) {
    const messageId = each.record?.messageId;
    const earlier =
      known.get(turnId) ?? (messageId === undefined ? undefined : pendingOf.get(messageId));
    if (earlier !== undefined) used.add(earlier);
    listed.push({
      ...(earlier ?? newTurn(turnId)),
      id: turnId,
      messageId: earlier?.messageId ?? messageId,
      recorded: each,
    });
  }
  // What the session does not remember yet comes behind. What it remembers no longer, or was not asked for, comes before.
  const firstUsed = Math.max(
    0,
    same.turns.findIndex((turn) => used.has(turn)),
  );
  const before = same.turns.slice(0, firstUsed);
  const behind = same.turns.slice(firstUsed).filter((turn) => !used.has(turn));
  const seq = same.seq ?? resumeAfter(timeline);
  return { ...withTurns(same, [...before, ...listed, ...behind]), seq };
}

/** The turn up to which all is known that the session remembers. Undefined when nothing is. */
export function knownUpTo({ turns }: Conversation): string | undefined {
  const unknown = turns.findIndex(({ recorded }) => recorded === undefined || recorded.isRunning);
  return turns[unknown === -1 ? turns.length - 1 : unknown - 1]?.id;
}

/** The `seq` after which the frames are to be asked for: what a running turn has said so far is in its frames alone. */
export function resumeAfter({ turns, lastSeq, keptAfter }: SessionTimeline): number {
  return turns.some(({ endedAt }) => endedAt === undefined)
    ? Math.min(keptAfter, lastSeq)
    : lastSeq;
}

function inSession(conversation: Conversation, sessionId: string): Conversation {
  const pending = conversation.turns.filter(isPending);
  const wasUsed = conversation.turns.length > pending.length;
  return {
    ...NO_CONVERSATION,
    sessionId,
    turns: pending,
    endedSessionId: wasUsed ? conversation.sessionId : conversation.endedSessionId,
  };
}

function withFrame(conversation: Conversation, frame: ServerFrame): Conversation {
  if (frame.type === "connected") {
    if (frame.session_id !== conversation.sessionId) {
      return inSession(conversation, frame.session_id);
    }
    // A store that lost its last writes goes on counting from an earlier frame.
    const { seq } = conversation;
    return seq !== undefined && seq > frame.seq
      ? { ...conversation, seq: frame.seq }
      : conversation;
  }
  if (!isOfTurn(frame)) return withError(conversation, frame);
  if (frame.session_id !== conversation.sessionId) {
    // An idle connection's session is told of by its first frame.
    if (conversation.turns.some((turn) => !isPending(turn))) return conversation;
    return withFrame(inSession(conversation, frame.session_id), frame);
  }
  return withTurnFrame(conversation, frame);
}

function isOfTurn(frame: Exclude<ServerFrame, { type: "connected" }>): frame is TurnFrame {
  return "seq" in frame && frame.seq !== undefined && frame.turn_id !== undefined;
}

function withTurnFrame(conversation: Conversation, frame: TurnFrame): Conversation {
  const { seq, turns } = conversation;
  const at = placeOf(turns, frame);
  const turn = at === -1 ? undefined : turns[at];
  const isAgain = seq !== undefined && frame.seq <= seq;
  // An open request is told of again with the `seq` that it had, also where its turn is known from nothing else.
  const isNews = frame.type === "approval_request" && turn?.told === undefined;
  if (isAgain && !isNews) return conversation;
  const isNext = seq !== undefined && frame.seq === seq + 1;
  const changed: Turn = {
    ...(turn ?? newTurn(frame.turn_id)),
    id: frame.turn_id,
    messageId: turn?.messageId ?? frame.message_id,
    told: told(turn?.told, frame, isNext),
  };
  return {
    ...withTurns(conversation, at === -1 ? [...turns, changed] : turns.with(at, changed)),
    seq: isAgain ? seq : frame.seq,
  };
}

/** Nearly always the last turn. */
function placeOf(turns: readonly Turn[], frame: TurnFrame): number {
  const ofTurn = turns.findLastIndex((turn) => turn.id === frame.turn_id);
  if (ofTurn !== -1 || frame.message_id === undefined) return ofTurn;
  return turns.findLastIndex((turn) => isPending(turn) && turn.messageId === frame.message_id);
}

function told(earlier: ToldTurn | undefined, frame: TurnFrame, isNext: boolean): ToldTurn {
  if (earlier !== undefined) {
    const next = tellOn(earlier, frame);
    return isNext || !next.isWhole ? next : { ...next, isWhole: false };
  }
  const isEnd = frame.type === "done" || frame.type === "error";
  // Only the first and the last frame of a turn name the message.
  const isNamed = frame.message_id !== undefined && !isEnd;
  return beginTold(frame, isNext || isNamed || frame.seq === 1);
}

function withError(conversation: Conversation, { error }: ConnectionErrorFrame): Conversation {
  const forgotten = error.details?.["kept_after"];
  if (error.code !== "INVALID_MESSAGE" || typeof forgotten !== "number") return conversation;
  return {
    ...conversation,
    forgottenUpTo: forgotten,
    seq: Math.max(conversation.seq ?? 0, forgotten),
  };
}
