/**
 * JSON.stringify writes half of a surrogate pair as an escape, and whole pairs as they are. So such an escape in its output is
 * a half, which providers refuse, as a whole request with it. U+FFFD takes its place, in strings and in keys.
 */
export function wellFormedJSON(text: string): string {
  if (!text.includes("\\ud")) return text;
  // Every escape is matched, so that a backslash that is itself escaped begins none.
  return text.replaceAll(/\\(?:ud[89a-f][\da-f]{2}|[^])/g, (escape) =>
    escape.length > 2 ? "\uFFFD" : escape,
  );
}
