/**
 * The order of sessions in a list, newest activity first, and the cursors between its pages. A cursor names a place in that
 * order and not a session, so pages of several stores, which know nothing of each other, can be merged.
 */
import type { Page } from "./page.ts";
import type { SessionView } from "./session-views.ts";

/** The place of a session in the list. `lastActiveAt` is in milliseconds since 1970. */
export interface SessionPosition {
  readonly lastActiveAt: number;
  readonly id: string;
}

const CURSOR = /^(\d{1,16})-([\w.:~-]{1,256})$/;

/** A cursor for the sessions that follow this one: `<last activity in milliseconds>-<session id>`. */
export function sessionCursor({ lastActiveAt, id }: SessionPosition): string {
  return `${lastActiveAt}-${id}`;
}

/** Undefined when the text is no cursor. */
export function readSessionCursor(text: string): SessionPosition | undefined {
  const [, time, id] = CURSOR.exec(text) ?? [];
  if (time === undefined || id === undefined) return undefined;
  return { lastActiveAt: Number(time), id };
}

/** Below zero when `one` comes before `other`: it was active later, or its id is greater in the order of its bytes. */
export function compareSessions(one: SessionPosition, other: SessionPosition): number {
  return other.lastActiveAt - one.lastActiveAt || compareIds(other.id, one.id);
}

/**
 * One page out of the pages that several stores gave for the same cursor, with `limit` sessions at most. A store that has not
 * come to its end tells nothing of what follows its `next`, so the merged page ends there too.
 */
export function mergeSessionPages(
  pages: readonly Page<SessionView>[],
  limit: number,
): Page<SessionView> {
  const known = pages
    .flatMap(({ next }) => (next === undefined ? [] : (readSessionCursor(next) ?? [])))
    .toSorted(compareSessions)[0];
  const items = pages
    .flatMap((page) => page.items)
    .map((view) => ({ view, position: positionOf(view) }))
    .filter(({ position }) => known === undefined || compareSessions(position, known) <= 0)
    .toSorted((one, other) => compareSessions(one.position, other.position));
  const last = items.length > limit ? items[limit - 1]?.position : known;
  return {
    items: items.slice(0, limit).map(({ view }) => view),
    ...(last === undefined ? {} : { next: sessionCursor(last) }),
  };
}

function positionOf({ id, lastActiveAt }: SessionView): SessionPosition {
  return { id, lastActiveAt: Date.parse(lastActiveAt) };
}

function compareIds(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
