/** Finds where a JSON value ends, so that several of them can stand one after the other in a file. */
export type JSONEnd = { readonly end: number } | { readonly fault: JSONFault };

export interface JSONFault {
  readonly offset: number;
  /** Names the cure, and quotes nothing of the text. */
  readonly message: string;
}

const WORD = /[-+.\w]+/y;

/** `start` is the offset of the first character of the value. Takes only what `JSON.parse` takes. */
export function endOfJSON(text: string, start: number): JSONEnd {
  const found = scan(text, start);
  if ("fault" in found) return found;
  try {
    JSON.parse(text.slice(start, found.end));
    return found;
  } catch (error) {
    // The rest of the message may quote the text.
    const [, position] = / at position ([0-9]+)/.exec((error as Error).message) ?? [];
    const offset = position === undefined ? start : start + Number(position);
    return { fault: { offset, message: describe(text, offset) } };
  }
}

/** Minds only quotes and brackets. */
function scan(text: string, start: number): JSONEnd {
  const opened: number[] = [];
  let offset = start;
  do {
    const character = text[offset];
    if (character === undefined) {
      const message = "this bracket is never closed; close it";
      return { fault: { offset: opened.at(-1) ?? start, message } };
    }
    if (character === '"') {
      const end = endOfString(text, offset);
      if (end === undefined) {
        return { fault: { offset, message: "this quote is never closed; close it" } };
      }
      offset = end;
    } else {
      if (character === "{" || character === "[") opened.push(offset);
      if (character === "}" || character === "]") opened.pop();
      WORD.lastIndex = offset;
      offset += WORD.exec(text)?.[0].length ?? 1;
    }
  } while (opened.length > 0);
  return { end: offset };
}

function endOfString(text: string, start: number): number | undefined {
  for (let offset = start + 1; offset < text.length; offset += 1) {
    if (text[offset] === "\\") offset += 1;
    else if (text[offset] === '"') return offset + 1;
    else if (text[offset] === "\n") return undefined;
  }
  return undefined;
}

const COMMENT = "a comment, and JSON has none; remove it, or let the name of the file end in .yaml";
const EMPTY_ENTRY = "a value is missing before this closing bracket";
const LAST_COMMA = 'a "," before a closing bracket, where JSON allows none; remove it';
const MISSING_COMMA = 'a "," or ":" is missing at this place or before it';

function describe(text: string, offset: number): string {
  const character = text.charAt(offset);
  if (character === "}" || character === "]") {
    return /,\s*$/.test(text.slice(Math.max(0, offset - 1_000), offset)) ? LAST_COMMA : EMPTY_ENTRY;
  }
  if (character === "#" || character === "/") return COMMENT;
  if (character === "'") return `JSON has only double quotes; write "`;
  if (character === '"' || character === "{" || character === "[") return MISSING_COMMA;
  return "something that JSON does not allow; texts and the names of fields stand in double quotes";
}
