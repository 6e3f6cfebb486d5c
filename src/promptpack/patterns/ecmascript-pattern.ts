/** What ECMAScript takes for white space, and what not, as the content of a class of RE2. */
const SPACE = String.raw`\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`;
const NO_SPACE = String.raw`\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`;
const NO_LINE_END = String.raw`[^\n\r\x{2028}\x{2029}]`;
const ANYTHING = String.raw`[\x00-\x{10ffff}]`;
const NOTHING = String.raw`[^\x00-\x{10ffff}]`;

const SURROGATES = /^\\u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})/i;
const CODE_POINT = /^\\u(?:([\da-f]{4})|\{([\da-f]{1,6})\})/i;
const CONTROL = /^\\c([a-z])/i;
const NULL = /^\\0(?!\d)/;
const PROPERTY =
  /^\\(p)\{(?:(?:General_Category|gc|Script|sc|Script_Extensions|scx)=)?(\w{1,32})\}/i;
const LONGEST_ESCAPE = 64;

/** RE2 knows these by their short names only. */
const SHORT_NAMES: Readonly<Record<string, string | undefined>> = {
  Letter: "L",
  Uppercase_Letter: "Lu",
  Lowercase_Letter: "Ll",
  Mark: "M",
  Number: "N",
  Decimal_Number: "Nd",
  Punctuation: "P",
  Symbol: "S",
  Separator: "Z",
  Other: "C",
};

/**
 * Writes a pattern of a JSON Schema, which is one of ECMAScript with the flag "u", in the syntax of RE2. What RE2 does not have,
 * such as a lookahead, stays as it is, and RE2 refuses it.
 */
export function fromECMAScript(pattern: string): string {
  let written = "";
  let inClass = false;
  let at = 0;
  const write = (text: string, length: number): void => {
    written += text;
    at += length;
  };
  while (at < pattern.length) {
    const character = pattern.charAt(at);
    if (character === "\\") {
      const { text, length } = fromEscape(pattern.slice(at, at + LONGEST_ESCAPE), inClass);
      write(text, length);
    } else if (inClass) {
      inClass = character !== "]";
      write(character === "[" ? "\\[" : character, 1);
    } else if (character === "." || character === "[") {
      if (pattern.startsWith("[^]", at)) write(ANYTHING, 3);
      else if (pattern.startsWith("[]", at)) write(NOTHING, 2);
      else if (character === ".") write(NO_LINE_END, 1);
      else {
        inClass = true;
        write(character, 1);
      }
    } else write(character, 1);
  }
  return written;
}

/** Reads what begins with a backslash. `length` counts the characters that it takes up. */
function fromEscape(rest: string, inClass: boolean): { text: string; length: number } {
  const [pair, lead, trail] = SURROGATES.exec(rest) ?? [];
  if (pair !== undefined) {
    const point = String.fromCharCode(Number(`0x${lead}`), Number(`0x${trail}`)).codePointAt(0);
    return { text: codePoint(point ?? 0), length: pair.length };
  }
  const [unicode, unit, point] = CODE_POINT.exec(rest) ?? [];
  if (unicode !== undefined) {
    return { text: codePoint(Number(`0x${unit ?? point}`)), length: unicode.length };
  }
  const [control, letter = ""] = CONTROL.exec(rest) ?? [];
  if (control !== undefined) {
    return { text: codePoint(letter.charCodeAt(0) % 32), length: control.length };
  }
  const [property, sign, name = ""] = PROPERTY.exec(rest) ?? [];
  if (property !== undefined) {
    return { text: `\\${sign}{${SHORT_NAMES[name] ?? name}}`, length: property.length };
  }
  const [none] = NULL.exec(rest) ?? [];
  if (none !== undefined) return { text: codePoint(0), length: none.length };
  const kind = rest.charAt(1);
  if (kind === "s" || kind === "S") {
    const ranges = kind === "s" ? SPACE : NO_SPACE;
    return { text: inClass ? ranges : `[${ranges}]`, length: 2 };
  }
  if (kind === "b" && inClass) return { text: codePoint(8), length: 2 };
  return { text: `\\${kind}`, length: 2 };
}

function codePoint(point: number): string {
  return `\\x{${point.toString(16)}}`;
}
