import { MAX_ID_LENGTH } from "../../protocol/frames.ts";

/** 144 bits, so that the id is a whole number of base64 digits. */
const SESSION_ID_BYTES = 18;
const SESSION_ID = /^[\w.:~-]+$/;

/** As `randomBytes` of node:crypto: it must not be guessable, for who knows a session's id may speak in it. */
export type RandomBytes = (size: number) => Buffer;

export function newSessionId(randomBytes: RandomBytes): string {
  return randomBytes(SESSION_ID_BYTES).toString("base64url");
}

/** Whether a client's text may be looked up as a session id at all; what may not is the id of no session. */
export function isSessionId(text: string): boolean {
  return text.length <= MAX_ID_LENGTH && SESSION_ID.test(text);
}
