/** What is said to those who do not see the page: whole sentences of the answer, and its end. Every piece would be noise. */

/** In characters. A longer piece is cut at its beginning: what came last matters. */
const MAX_LENGTH = 600;

/** The sentences that have ended behind what was said, or undefined if there is none. `text` is the whole answer so far. */
export function nextSentences(
  text: string,
  saidLength: number,
  isEnd: boolean,
): { said: string; saidLength: number } | undefined {
  const rest = text.slice(saidLength);
  const end = isEnd ? rest.length : endOfSentences(rest);
  const said = plain(rest.slice(0, end));
  if (said === "") return undefined;
  return { said: said.slice(-MAX_LENGTH).toWellFormed(), saidLength: saidLength + end };
}

function endOfSentences(text: string): number {
  let end = 0;
  for (const match of text.matchAll(/[.!?:。！？]["'”’)\]]*(?=\s)|\n/g)) {
    end = match.index + match[0].length;
  }
  return end;
}

/** Without the marks of Markdown that a voice would read out. */
function plain(text: string): string {
  return text
    .replaceAll(/```[^\n]*|[*_`#>|~]+/g, " ")
    .replaceAll(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, "$1")
    .replaceAll(/\s+/g, " ")
    .trim();
}
