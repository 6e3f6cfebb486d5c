/** Letters as they are compared: without case, accents, invisible characters, and the many forms of one letter. */

/** Of the marks only those that every script shares: the vowel signs of Hindi or the dakuten of Japanese make another letter. */
const IGNORED = /[[[\p{Script=Inherited}&&\p{Mn}]--[\u3099\u309A]]\p{Cf}]/gv;
const SPACE = /^\p{White_Space}+$/u;
/** Letters and digits of scripts that write blanks between words. */
const WORD =
  /^[[\p{L}\p{N}_]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]]$/v;
const MAX_REMEMBERED = 4_096;

const ascii: readonly string[] = Array.from({ length: 128 }, (_, code) =>
  fold(String.fromCharCode(code)),
);
const remembered = new Map<string, string>();

/** What a character is compared as: no, one or several UTF-16 units. Blanks of every kind are " ". */
export function normalCharacter(character: string): string {
  const code = character.charCodeAt(0);
  if (character.length === 1 && code < 128) return ascii[code] ?? "";
  const known = remembered.get(character);
  if (known !== undefined) return known;
  const normal = fold(character);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(character, normal);
  return normal;
}

/** A whole text, with one " " for each run of blanks. */
export function normalText(text: string): string {
  let normal = "";
  for (const character of text) normal += normalCharacter(character);
  return normal.replaceAll(/ +/g, " ");
}

export function isWordCharacter(character: string): boolean {
  return WORD.test(character);
}

function fold(character: string): string {
  if (SPACE.test(character)) return " ";
  // Upper case first makes one of what has several small forms, such as ß and ss, or σ and ς.
  const plain = character.normalize("NFKD").replaceAll(IGNORED, "");
  const folded = plain.toUpperCase().toLowerCase().normalize("NFKD").replaceAll(IGNORED, "");
  return SPACE.test(folded) ? " " : folded;
}
