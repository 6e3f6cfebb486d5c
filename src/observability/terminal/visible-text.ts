/**
 * Text of others as a person may see it. What a terminal would obey, and what would make a text read otherwise than it is, is written
 * out: `\u{1b}`. That is control characters (C0, DEL, C1), the controls of bidirectional text, separators of lines that editors know and
 * people do not, and characters without a width, which hide words from people and show them to models.
 */

/** Joiners are a part of how some scripts and emoji are written. Between two letters of Latin they hide something. */
const JOINED = String.raw`(?<=[\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}]|(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}])\p{L})`;
const INVISIBLE = String.raw`\p{Bidi_Control}\u2028\u2029\u200B\u2060-\u2065\u206A-\u206F\uFEFF\u180E\uFFF9-\uFFFB\u{E0000}-\u{E007F}`;
const CONTROL = new RegExp(
  String.raw`(?!${JOINED}[\u200C\u200D])[\p{Cc}${INVISIBLE}\u200C\u200D]`,
  "gu",
);
/** In JSON an escape says the same, so that none of them is needed as it is. What JSON.stringify leaves of the control characters. */
const IN_JSON = new RegExp(`[\\u007F-\\u009F${INVISIBLE}\\u200C\\u200D]`, "gu");

/** For a text of several lines: line feeds and tabs stay. `before` is the end of what was printed before it. */
export function visibleText(text: string, before = ""): string {
  if (before !== "") return visibleText(before + text).slice(visibleText(before).length);
  return text
    .replaceAll(/\r(?=\n|$)/g, "")
    .replace(CONTROL, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
}

/** For a part of one line: line feeds and tabs become a blank. */
export function visibleLine(text: string): string {
  return text.replaceAll(/[\r\n\t]*[\n\t]/g, " ").replace(CONTROL, escaped);
}

/** JSON with the same value, in which what a terminal would obey is escaped. */
export function visibleJSON(json: string): string {
  return json.replace(IN_JSON, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const code = character.charCodeAt(index).toString(16).padStart(4, "0");
      return `\\u${code}`;
    }).join(""),
  );
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
