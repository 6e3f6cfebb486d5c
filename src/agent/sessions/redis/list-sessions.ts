import {
  readSessionCursor,
  sessionCursor,
  type SessionPosition,
} from "../../../http-api/session-pages.ts";
import { isSessionId } from "../session-id.ts";
import {
  InvalidCursorError,
  MAX_SESSIONS_PER_PAGE,
  type ListedSession,
  type SessionPage,
  type SessionQuery,
} from "../session-listing.ts";
import { CorruptSessionError } from "../session-store.ts";
import type { DescribedSession } from "./operations/describe-session.ts";
import type { SessionsByActivity } from "./sessions-by-activity.ts";

/** The sessions that one page looks at, at most: with a filter, those that it leaves out count too. */
const MAX_LOOKED_AT = 1_000;

type Described = DescribedSession | "gone" | "unreadable";

/** Reads the index, and describes all sessions of a part of it at once. Sessions that are gone are taken out of the index. */
export async function listSessions(
  index: SessionsByActivity,
  query: SessionQuery,
  describe: (sessionId: string) => Promise<DescribedSession | undefined>,
): Promise<SessionPage> {
  let place = query.after === undefined ? undefined : readSessionCursor(query.after);
  if (query.after !== undefined && place === undefined) throw new InvalidCursorError("no cursor");
  const limit = Math.min(Math.max(1, query.limit), MAX_SESSIONS_PER_PAGE);
  const sessions: ListedSession[] = [];
  const unreadable: string[] = [];
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT;) {
    query.signal?.throwIfAborted();
    // One more tells whether the list goes on.
    const positions = await index.following(place, limit + 1);
    const described = await Promise.all(positions.map(({ id }) => describeOne(id, describe)));
    const gone: string[] = [];
    for (const [at, position] of positions.entries()) {
      const session = described[at] as Described;
      if (session === "gone") gone.push(position.id);
      else if (sessions.length === limit) {
        await index.remove(gone);
        return page(sessions, unreadable, place);
      } else if (session === "unreadable") unreadable.push(position.id);
      else if (isAskedFor(session, query)) sessions.push({ ...session, ...position });
      place = position;
    }
    await index.remove(gone);
    if (positions.length <= limit) return page(sessions, unreadable, undefined);
    lookedAt += positions.length;
  }
  return page(sessions, unreadable, place);
}

async function describeOne(
  sessionId: string,
  describe: (sessionId: string) => Promise<DescribedSession | undefined>,
): Promise<Described> {
  if (!isSessionId(sessionId)) return "gone";
  try {
    return (await describe(sessionId)) ?? "gone";
  } catch (error) {
    if (error instanceof CorruptSessionError) return "unreadable";
    throw error;
  }
}

function isAskedFor({ owner, state, packVersion }: DescribedSession, query: SessionQuery): boolean {
  return (
    (query.owner === undefined || owner === query.owner) &&
    (query.state === undefined || state === query.state) &&
    (query.version === undefined || packVersion === query.version)
  );
}

function page(
  sessions: readonly ListedSession[],
  unreadable: readonly string[],
  next: SessionPosition | undefined,
): SessionPage {
  return { sessions, unreadable, next: next && sessionCursor(next) };
}
