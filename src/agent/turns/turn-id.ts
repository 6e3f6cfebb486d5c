import { randomFillSync } from "node:crypto";

const BYTES = 16;
const POOLED_IDS = 256;
const DIGITS = Buffer.from("0123456789abcdef", "latin1");
const HYPHEN = 0x2d;
/** Where hyphens stand in the text of an id. */
const HYPHENS: ReadonlySet<number> = new Set([8, 13, 18, 23]);
/** The positions in the text of the two digits of each byte. */
const POSITIONS = Array.from({ length: 36 }, (_, at) => at).filter((at) => !HYPHENS.has(at));

const pool = Buffer.alloc(BYTES * POOLED_IDS);
let taken = pool.length;
const text = Buffer.alloc(36, HYPHEN);

/**
 * A random UUID (version 4), as `randomUUID` of Node makes it, but in one piece: Node joins twenty strings, all of which are kept
 * for as long as the id is.
 */
export function newTurnId(): string {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  for (let at = 0; at < BYTES; at++) {
    const random = pool[taken + at] as number;
    const byte = at === 6 ? 0x40 | (random & 0x0f) : at === 8 ? 0x80 | (random & 0x3f) : random;
    text[POSITIONS[2 * at] as number] = DIGITS[byte >> 4] as number;
    text[POSITIONS[2 * at + 1] as number] = DIGITS[byte & 0x0f] as number;
  }
  taken += BYTES;
  return text.toString("latin1");
}
