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

/** `newestFirst`: in the order of `activeAt`, which is in whole milliseconds; those of one millisecond in any order. */
export function listSessions(
  newestFirst: readonly MemorySession[],
  query: SessionQuery,
  {
    activeAt,
    describe,
  }: {
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
  for (let at = 0; at < newestFirst.length;) {
    const time = activeAt(newestFirst[at] as MemorySession);
    let end = at + 1;
    while (end < newestFirst.length && activeAt(newestFirst[end] as MemorySession) === time) end++;
    const together = newestFirst.slice(at, end);
    at = end;
    if (after !== undefined && time > after.lastActiveAt) continue;
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
