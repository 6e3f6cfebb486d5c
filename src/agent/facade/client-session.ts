/** The sessions of the store as one client may see them: a session of another owner is as unknown as one that is not there. */
import { NOBODY, type SessionClient } from "../sessions/session-client.ts";
import { isSessionId } from "../sessions/session-id.ts";
import {
  SessionExistsError,
  type SessionStore,
  type SessionSummary,
} from "../sessions/session-store.ts";

/** Rejects with what the store rejects with. */
export async function findSession(
  store: SessionStore,
  sessionId: string,
  { owner }: SessionClient,
): Promise<SessionSummary | undefined> {
  return isSessionId(sessionId) ? store.find(sessionId, owner) : undefined;
}

/** Rejects with SessionExistsError when there is such a session already. */
export function createSession(
  store: SessionStore,
  sessionId: string,
  client: SessionClient,
): Promise<void> {
  return store.create(sessionId, client);
}

/**
 * Takes the id of an unknown session out of use. A message can be on its way to two replicas, and the other one may have
 * announced this id: it must not begin the session any more, for a message with an id of its own is run once. Answers the
 * session if the other replica was quicker. It takes as long where the session is another owner's as where there is none.
 */
export async function renounceSession(
  store: SessionStore,
  sessionId: string,
  client: SessionClient,
): Promise<SessionSummary | undefined> {
  if (!isSessionId(sessionId)) return undefined;
  await store.create(sessionId, { ...client, owner: NOBODY }).catch((error: unknown) => {
    if (!(error instanceof SessionExistsError)) throw error;
  });
  return findSession(store, sessionId, client);
}

/** Whether frames are still to come: from the replica that runs the turn, or from another one that takes it over. */
export function hasTurn({ runningTurnId, abandonedTurnId }: SessionSummary): boolean {
  return runningTurnId !== undefined || abandonedTurnId !== undefined;
}
