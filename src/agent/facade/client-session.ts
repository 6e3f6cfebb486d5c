/** The sessions of the store as one client may see them: a session of another subject is as unknown as one that is not there. */
import { isSessionId } from "../sessions/session-id.ts";
import {
  SessionExistsError,
  type SessionStore,
  type SessionSummary,
} from "../sessions/session-store.ts";

/** Owns the ids of sessions that are out of use. No authenticator knows a subject of this name. */
const NOBODY = "nobody";

/** `subject` is who the client is, when the agent authenticates its clients. Rejects with what the store rejects with. */
export async function findSession(
  store: SessionStore,
  sessionId: string,
  subject: string | undefined,
): Promise<SessionSummary | undefined> {
  if (!isSessionId(sessionId)) return undefined;
  const session = await store.find(sessionId);
  return session?.subject === subject ? session : undefined;
}

/** Rejects with SessionExistsError when there is such a session already. */
export function createSession(
  store: SessionStore,
  sessionId: string,
  subject: string | undefined,
): Promise<void> {
  return store.create(sessionId, { subject });
}

/**
 * Takes the id of an unknown session out of use. A message can be on its way to two replicas, and the other one may have
 * announced this id: it must not begin the session any more, for a message with an id of its own is run once. Answers the
 * session if the other replica was quicker.
 */
export async function renounceSession(
  store: SessionStore,
  sessionId: string,
  subject: string | undefined,
): Promise<SessionSummary | undefined> {
  if (!isSessionId(sessionId)) return undefined;
  try {
    await store.create(sessionId, { subject: NOBODY });
    return undefined;
  } catch (error) {
    if (!(error instanceof SessionExistsError)) throw error;
    return findSession(store, sessionId, subject);
  }
}

/** Whether frames are still to come: from the replica that runs the turn, or from another one that takes it over. */
export function hasTurn({ runningTurnId, abandonedTurnId }: SessionSummary): boolean {
  return runningTurnId !== undefined || abandonedTurnId !== undefined;
}
