import { MAX_ID_LENGTH } from "../../protocol/frames.ts";

/** 144 bits, so that the id is a whole number of base64 digits. */
const SESSION_ID_BYTES = 18;
const SESSION_ID = /^[\w.:~-]+$/;

/** `randomBytes` of node:crypto or the like: a client that knows a session's id may speak in it, so it must not be guessable. */
export type RandomBytes = (size: number) => Buffer;

export function newSessionId(randomBytes: RandomBytes): string {
  // A command would take an id that begins with "-" for one of its flags.
  return randomBytes(SESSION_ID_BYTES).toString("base64url").replace(/^-/, "_");
}

/** Whether a client's text may be looked up as a session id. No session has an id that may not. */
export function isSessionId(text: string): boolean {
  return text.length <= MAX_ID_LENGTH && SESSION_ID.test(text);
}
