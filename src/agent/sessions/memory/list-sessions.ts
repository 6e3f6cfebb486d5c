import {
  compareSessions,
  readSessionCursor,
  sessionCursor,
  type SessionPosition,
} from "../../../http-api/session-pages.ts";
import {
  InvalidCursorError,
  MAX_SESSIONS_PER_PAGE,
  type ListedSession,
  type SessionPage,
  type SessionQuery,
} from "../session-listing.ts";
import type { MemorySession } from "./memory-session.ts";

/** The sessions that one page looks at, at most: with a filter, those that it leaves out count too. */
const MAX_LOOKED_AT = 10_000;

/**
 * A page costs as much as it looks at, wherever in the list it is. `newestFirst` gives the sessions that were last active in this
 * millisecond and before it, or all, in the order of `activeAt`; those of one millisecond in any order.
 */
export function listSessions(
  query: SessionQuery,
  {
    newestFirst,
    activeAt,
    describe,
  }: {
    newestFirst: (until: number | undefined) => Iterable<MemorySession>;
    /** Whole milliseconds since 1970. */
    activeAt: (session: MemorySession) => number;
    /** Undefined when its time is over. */
    describe: (session: MemorySession) => ListedSession | undefined;
  },
): SessionPage {
  const after = query.after === undefined ? undefined : readSessionCursor(query.after);
  if (query.after !== undefined && after === undefined) throw new InvalidCursorError("no cursor");
  const limit = Math.min(Math.max(1, query.limit), MAX_SESSIONS_PER_PAGE);
  const sessions: ListedSession[] = [];
  let lookedAt = 0;
  let place: SessionPosition | undefined;
  for (const [time, together] of byMillisecond(newestFirst(after?.lastActiveAt), activeAt)) {
    for (const session of together.toSorted((one, other) => (one.id < other.id ? 1 : -1))) {
      const position = { lastActiveAt: time, id: session.id };
      if (after !== undefined && compareSessions(position, after) <= 0) continue;
      const isFull = sessions.length === limit || lookedAt === MAX_LOOKED_AT;
      if (isFull && place !== undefined)
        return { sessions, next: sessionCursor(place), unreadable: [] };
      lookedAt += 1;
      place = position;
      if (query.owner !== undefined && session.owner !== query.owner) continue;
      if (query.version !== undefined && session.promptVersion !== query.version) continue;
      const listed = describe(session);
      if (listed === undefined || (query.state !== undefined && listed.state !== query.state))
        continue;
      sessions.push(listed);
    }
  }
  return { sessions, unreadable: [] };
}

function* byMillisecond(
  sessions: Iterable<MemorySession>,
  activeAt: (session: MemorySession) => number,
): Generator<[time: number, together: MemorySession[]]> {
  let together: [number, MemorySession[]] | undefined;
  for (const session of sessions) {
    const time = activeAt(session);
    if (together?.[0] === time) together[1].push(session);
    else {
      if (together !== undefined) yield together;
      together = [time, [session]];
    }
  }
  if (together !== undefined) yield together;
}
