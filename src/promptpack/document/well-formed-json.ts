/**
 * Puts U+FFFD in place of each half of a surrogate pair in the strings and keys of a JSON text. Providers refuse a whole
 * request for one. JSON.stringify writes a half as an escape, and whole pairs as they are.
 */
export function wellFormedJSON(text: string): string {
  const raw = text.toWellFormed();
  if (!/\\ud/i.test(raw)) return raw;
  return raw.replaceAll(ESCAPES, (escape) => (escape.length === HALF_LENGTH ? "\uFFFD" : escape));
}

/** A whole pair, a half, or any other escape: so no backslash that is itself escaped is taken for the begin of one. */
const ESCAPES = /\\(?:ud[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}|ud[89a-f][\da-f]{2}|[^])/gi;
const HALF_LENGTH = "\\ud83d".length;
