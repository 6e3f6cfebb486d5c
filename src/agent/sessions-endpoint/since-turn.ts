/** The end of a session, for somebody who knows what came before. */
import type { SessionTimeline } from "../sessions/session-listing.ts";

/**
 * The timeline from the turn on. It begins earlier where a turn of it goes on with an earlier one, since what was said in both belongs to that one.
 * All of it, where no such turn is known: it may be forgotten.
 */
export function sinceTurn(timeline: SessionTimeline, turnId: string): SessionTimeline {
  const { turns, messages } = timeline;
  const placeOf = new Map(turns.map((turn, place) => [turn.turnId, place]));
  const named = placeOf.get(turnId);
  if (named === undefined) return timeline;
  let begin = named;
  for (let place = turns.length - 1; place >= begin; place -= 1) {
    const { firstTurnId } = turns[place] ?? {};
    const first = firstTurnId === undefined ? undefined : placeOf.get(firstTurnId);
    if (first !== undefined) begin = Math.min(begin, first);
  }
  const kept = turns.slice(begin);
  const ids = new Set(kept.flatMap((turn) => [turn.turnId, turn.firstTurnId ?? turn.turnId]));
  const firstMessage = messages.findIndex((message) => ids.has(message.turnId));
  const before = firstMessage === -1 ? messages : messages.slice(0, firstMessage);
  // A turn is told of as a whole or not at all.
  const earlier = new Set(before.map((message) => message.turnId));
  return {
    ...timeline,
    turns: kept,
    messages: messages.slice(before.length).filter((message) => !earlier.has(message.turnId)),
  };
}
