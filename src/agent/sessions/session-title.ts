/** The characters of a session's first message that are its title. */
export const MAX_TITLE_CHARACTERS = 80;

/** Control characters, breaks of lines, and what turns the direction of the text around it. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The title of a session: well-formed, and harmless where it stands in a list. */
export function titleOf(firstMessage: string): string {
  // A character is two units at most.
  const start = Array.from(firstMessage.slice(0, 2 * MAX_TITLE_CHARACTERS));
  return start.slice(0, MAX_TITLE_CHARACTERS).join("").toWellFormed().replace(UNSEEN, " ");
}
