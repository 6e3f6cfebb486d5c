import {
  compareSessions,
  readSessionCursor,
  sessionCursor,
} from "../../../http-api/session-pages.ts";
import {
  InvalidCursorError,
  MAX_SESSIONS_PER_PAGE,
  type ListedSession,
  type SessionPage,
  type SessionQuery,
} from "../session-listing.ts";
import type { MemorySession } from "./memory-session.ts";

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
      if (query.owner !== undefined && session.owner !== query.owner) continue;
      if (query.version !== undefined && session.promptVersion !== query.version) continue;
      const listed = describe(session);
      if (listed === undefined || (query.state !== undefined && listed.state !== query.state))
        continue;
      const last = sessions.at(-1);
      if (sessions.length === limit && last !== undefined)
        return { sessions, next: sessionCursor(last), unreadable: [] };
      sessions.push(listed);
    }
  }
  return { sessions, unreadable: [] };
}
