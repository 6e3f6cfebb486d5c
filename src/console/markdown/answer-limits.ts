/** How much of an answer is shown as Markdown, and how much at a time, so that no answer holds the page up, whatever a model may write. */

/** In characters. What comes after is shown as it is written: nobody writes a text of that length as Markdown, and its elements would fill the page. */
export const MAX_MARKDOWN_LENGTH = 200_000;
/** In characters. An answer that is there already, as after a reload, is made in steps of about this length, one a frame. */
const STEP_LENGTH = 16_000;
/** In characters. What is shown as it is written is cut into pieces, so that only the last of them changes while it grows. */
const PIECE_LENGTH = 16_000;

/** The length of what is shown as Markdown. It stays the same once the text is longer than that. */
export function markdownLength(text: string): number {
  return Math.min(text.length, endOfCharacter(text, MAX_MARKDOWN_LENGTH));
}

/** The text from a place on, as pieces of which all but the last one stay the same while it grows. */
export function plainPieces(text: string, from: number): string[] {
  const pieces: string[] = [];
  for (let at = from; at < text.length;) {
    const end = Math.min(text.length, endOfCharacter(text, at + PIECE_LENGTH));
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

/** How many of the blocks are shown by the next step, where so many are shown. */
export function shownAfterStep(
  blocks: readonly { readonly text: string }[],
  shown: number,
): number {
  let length = 0;
  let next = shown;
  while (next < blocks.length && length < STEP_LENGTH) {
    length += blocks[next]?.text.length ?? 0;
    next += 1;
  }
  return next;
}

/** The place, or the one before it where it is in the middle of a character. */
function endOfCharacter(text: string, place: number): number {
  const last = text.charCodeAt(place - 1);
  return last >= 0xd8_00 && last <= 0xdb_ff ? place - 1 : place;
}
