/**
 * The ways in which a text may hold a secret: as it is, escaped as in JSON (also several times over), percent-encoded, or as a part of
 * what was encoded in base64. Escapes may be mixed, so a text is compared character by character.
 */

/** One way to write a secret down. Its characters may each be escaped. */
export interface Spelling {
  readonly characters: readonly string[];
  /** Programs break base64 into lines. */
  readonly mayWrap: boolean;
}

export interface Match {
  /** The position behind the spelling; `undefined` when the text does not hold all of it. */
  readonly end: number | undefined;
  /** The text ends within what may be the spelling, so that what follows it decides. */
  readonly begins: boolean;
}

/** In place of a length: the text ended before the whole of a character was there. */
const BEGINS = -1;
/** JSON within JSON within JSON; more backslashes than these are no escape. */
const MAX_BACKSLASHES = 8;
/** Shorter pieces of base64 are found by chance. */
const MIN_BASE64_CHARACTERS = 8;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\n": "n",
  "\r": "r",
  "\t": "t",
  "\b": "b",
  "\f": "f",
};

export function spellingsOf(secret: string): Spelling[] {
  const encoded = new Set(base64Of(secret));
  return [
    { characters: Array.from(secret), mayWrap: false },
    ...[...encoded].map((text) => ({ characters: Array.from(text), mayWrap: true })),
  ];
}

/**
 * Where base64 holds a secret depends on how many bytes stand before it, modulo three. The characters at the edges also hold bits of
 * what is around the secret, and are left out.
 */
function base64Of(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64url");
    const isOpen = (before + bytes.length) % 3 !== 0;
    const core = text.slice(Math.ceil((before * 4) / 3), isOpen ? -1 : undefined);
    if (core.length < MIN_BASE64_CHARACTERS) return [];
    return [core, core.replaceAll("-", "+").replaceAll("_", "/")];
  });
}

/** `undefined`: the text has something else at `start`. */
export function matchAt(
  text: string,
  start: number,
  { characters, mayWrap }: Spelling,
): Match | undefined {
  // A backslash or a percent sign may stand for itself or begin an escape, so that there may be several ways to go on.
  let ends: readonly number[] = [start];
  let begins = false;
  for (const character of characters) {
    const next: number[] = [];
    for (const end of ends) {
      const at = mayWrap && end > start ? behindLineBreak(text, end) : end;
      for (const length of lengthsOf(text, at, character)) {
        if (length === BEGINS) begins = true;
        else if (!next.includes(at + length)) next.push(at + length);
      }
    }
    ends = next;
    if (ends.length === 0) return begins ? { end: undefined, begins } : undefined;
  }
  return { end: Math.max(...ends), begins };
}

function behindLineBreak(text: string, start: number): number {
  let at = start;
  if (text[at] === "\r") at += 1;
  if (text[at] === "\n") at += 1;
  return at;
}

const NONE: readonly number[] = [];

/** How many characters of the text at `at` may stand for this one. */
function lengthsOf(text: string, at: number, character: string): readonly number[] {
  // Also half of a character, where a text is cut in the middle of a pair.
  if (
    character.startsWith(text.slice(at, at + character.length)) &&
    at + character.length > text.length
  )
    return [BEGINS];
  const plain = text.startsWith(character, at) ? [character.length] : NONE;
  switch (text.charAt(at)) {
    case "%":
      return [...plain, ...percentLengths(text, at, character)];
    case "\\":
      return [...plain, ...escapeLengths(text, at, character)];
    case "+":
      return character === " " ? [1] : plain;
    default:
      return plain;
  }
}

/** `%2F`, and `%252F` where it was encoded twice. */
function percentLengths(text: string, at: number, character: string): number[] {
  const bytes = [...Buffer.from(character)].map((byte) => byte.toString(16).padStart(2, "0"));
  return ["%", "%25"].flatMap((sign) =>
    compare(text, at, bytes.map((byte) => sign + byte).join("")),
  );
}

/** Some backslashes, and behind them the character itself, its short escape, or its numbers as in `\u00e9`. */
function escapeLengths(text: string, start: number, character: string): number[] {
  const at = behindBackslashes(text, start);
  if (at >= text.length) return [BEGINS];
  const lengths = numbersLengths(text, at, character);
  const short = SHORT_ESCAPES[character];
  if (text.startsWith(character, at)) lengths.push(character.length);
  if (short !== undefined && text[at] === short) lengths.push(1);
  return lengths.map((length) => (length === BEGINS ? BEGINS : at - start + length));
}

/** `u00e9`, or for a character outside of the first plane `ud83d\ude00`. */
function numbersLengths(text: string, start: number, character: string): number[] {
  const [first = "", second] = [...Array(character.length).keys()].map(
    (index) => `u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
  );
  const lengths = compare(text, start, first);
  if (second === undefined || lengths[0] === undefined || lengths[0] === BEGINS) return lengths;
  const at = behindBackslashes(text, start + lengths[0]);
  return at >= text.length
    ? [BEGINS]
    : compare(text, at, second).map((length) => (length === BEGINS ? BEGINS : at - start + length));
}

function behindBackslashes(text: string, start: number): number {
  let at = start;
  while (text[at] === "\\" && at - start < MAX_BACKSLASHES) at += 1;
  return at;
}

/** Without regard to the case of letters. */
function compare(text: string, at: number, expected: string): number[] {
  const found = text.slice(at, at + expected.length).toLowerCase();
  if (found === expected) return [expected.length];
  return found.length < expected.length && expected.startsWith(found) ? [BEGINS] : [];
}
