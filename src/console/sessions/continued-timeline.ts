/** A timeline that was read, and then read again from one of its turns on. */
import type { SessionTimeline } from "../../http-api/session-views.ts";

/** As many as the API has. */
const MAX_TURNS = 1_000;

/** The turn with which what may have changed begins: the first one that runs, or the last one. Undefined where there is none. */
export function mayChangeFrom({ turns }: SessionTimeline): string | undefined {
  const running = turns.find(({ endedAt }) => endedAt === undefined);
  return (running ?? turns.at(-1))?.turnId;
}

/** `newer` has all of the session, or what it has from a turn of `known` on. What `known` has before that stays. */
export function continued(known: SessionTimeline, newer: SessionTimeline): SessionTimeline {
  const isOther =
    known.session.id !== newer.session.id || known.session.createdAt !== newer.session.createdAt;
  const told = new Set([...newer.turns, ...newer.messages].map(({ turnId }) => turnId));
  const turns = before(known.turns, told);
  if (isOther || turns === undefined) return newer;
  const messages = before(known.messages, told) ?? known.messages;
  return {
    ...newer,
    turns: [...turns, ...newer.turns].slice(-MAX_TURNS),
    messages: [...messages, ...newer.messages],
  };
}

/** Undefined where nothing of it was told again: then nothing says what comes before. */
function before<Item extends { readonly turnId: string }>(
  items: readonly Item[],
  told: ReadonlySet<string>,
): readonly Item[] | undefined {
  const first = items.findIndex(({ turnId }) => told.has(turnId));
  return first === -1 ? undefined : items.slice(0, first);
}
