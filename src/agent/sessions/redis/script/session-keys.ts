/**
 * The keys of a session in Redis: seven at most, all with the same expiry.
 *
 * - `session`, a hash: the last seq, the fence, the turn that has not ended and until when its lease goes; `a:<call id>` → the
 *   request of a call that waits for an approval, or who has answered it
 * - `messages`, a list of JSON: the history
 * - `frames`, a stream. Frame n has the id `n-0`, so that none can be there twice or out of order. The end of a turn
 *   leaves a mark with the id `<last seq>-<fence>`, which is how those who follow learn of it.
 * - `turns`, a list: of each ended turn whose frames are kept, when it ended, its last seq and the bytes of its frames
 * - `message-ids`, a hash: `m:<message id>` → fence, seq before and id of its turn; `r:<n>` → the message id of the
 *   turn whose fence is n in a ring, so that only the last ones are remembered
 * - `journal`, a list of JSON, while a turn runs or its calls wait for an approval: its origin, then the entries of its journal
 * - `turn-log`, a list of JSON: the records of the newest turns that have ended
 */
const NAMES = [
  "session",
  "messages",
  "frames",
  "turns",
  "message-ids",
  "journal",
  "turn-log",
] as const;

/** What the scripts call the keys, in the order of `keysOfSession`. */
export const SESSION_KEY_VARIABLES = [
  "sessionKey",
  "messagesKey",
  "framesKey",
  "turnsKey",
  "messageIdsKey",
  "journalKey",
  "turnLogKey",
] as const;

/** All keys of a session are in one slot of a cluster, by their hash tag. */
export function keysOfSession(sessionId: string): string[] {
  return NAMES.map((name) => keyOf(sessionId, name));
}

export function framesKeyOf(sessionId: string): string {
  return keyOf(sessionId, "frames");
}

/** The stream of signals to one process. It is there only while others ask that process to cancel turns. */
export function signalsKeyOf(owner: string): string {
  return `omnia:{replica-${owner}}:signals`;
}

/** The key of the sessions of one agent by their last activity, as `sessions-by-activity.ts` has it. */
export function indexKeyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `omnia:{index:${namespace}/${name}}:sessions`;
}

/** The key of the tokens that one agent uses on a day, as `operations/count-tokens.ts` has it. */
export function tokensKeyOf(
  { namespace, name }: { namespace: string; name: string },
  day: string,
): string {
  return `omnia:{budget:${namespace}/${name}}:${day}`;
}

/** The keys of what the sessions of one holder take, and of when they expire, as `operations/account-sessions.ts` has it. */
export function keysOfHolder(holder: string): string[] {
  return ["sizes", "expiries"].map((name) => `omnia:{holder-${holder}}:${name}`);
}

function keyOf(sessionId: string, name: (typeof NAMES)[number]): string {
  return `omnia:{${sessionId}}:${name}`;
}
