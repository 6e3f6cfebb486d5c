/**
 * Finds where a JSON text is broken and where a value begins in it, which `JSON.parse` does not tell. A repeated name is a
 * fault too, because readers disagree on which of its values counts.
 */
import type { FieldPath } from "../../api/fields/problems.ts";

export interface JSONFault {
  offset: number;
  message: string;
}

const MAX_DEPTH = 100;
const WHITE_SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(["\\/bfnrt]|u[\da-fA-F]{4})/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

class Fault extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Finds the first fault of the text. `onValue` is called for each value, with a path that changes after the call. */
export function scanJSON(
  text: string,
  onValue?: (path: FieldPath, offset: number) => void,
): JSONFault | undefined {
  const path: (string | number)[] = [];
  let position = 0;

  try {
    scanValue();
    if (peek() !== undefined) throw new Fault(position, "text after the end of the document");
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { offset: error.offset, message: error.message };
  }

  function scanValue(): void {
    const first = peek();
    onValue?.(path, position);
    if (path.length > MAX_DEPTH) throw new Fault(position, "nested too deeply");
    if (first === "{") scanObject();
    else if (first === "[") scanArray();
    else if (first === '"') scanString();
    else if (!skip(WORD) && !skip(NUMBER)) {
      throw new Fault(
        position,
        first === undefined ? "the text ends too early" : "expected a value",
      );
    }
  }

  function scanObject(): void {
    const names = new Set<string>();
    position += 1;
    if (peek() === "}") return advance();
    for (;;) {
      if (peek() !== '"') throw new Fault(position, expected("a name in double quotes"));
      const nameStart = position;
      const name = scanString();
      if (names.has(name)) {
        throw new Fault(nameStart, "this name is there twice; remove one of the two");
      }
      names.add(name);
      if (peek() !== ":") throw new Fault(position, expected('":" after the name'));
      position += 1;
      path.push(name);
      scanValue();
      path.pop();
      const next = peek();
      if (next === "}") return advance();
      if (next !== ",") throw new Fault(position, expected('"," or "}"'));
      const comma = position;
      position += 1;
      if (peek() === "}") throw new Fault(comma, 'a "," too many');
    }
  }

  function scanArray(): void {
    position += 1;
    if (peek() === "]") return advance();
    for (let index = 0; ; index += 1) {
      path.push(index);
      scanValue();
      path.pop();
      const next = peek();
      if (next === "]") return advance();
      if (next !== ",") throw new Fault(position, expected('"," or "]"'));
      const comma = position;
      position += 1;
      if (peek() === "]") throw new Fault(comma, 'a "," too many');
    }
  }

  function scanString(): string {
    const start = position;
    for (position += 1; ;) {
      const code = text.charCodeAt(position);
      if (Number.isNaN(code)) throw new Fault(start, "this string has no end");
      if (code === QUOTE) break;
      if (code < SPACE) {
        throw new Fault(position, "a string must not hold a line break or tab; write \\n or \\t");
      }
      if (code !== BACKSLASH) position += 1;
      else if (!skip(ESCAPE)) throw new Fault(position, "JSON knows no such escape; write \\\\");
    }
    position += 1;
    return JSON.parse(text.slice(start, position)) as string;
  }

  /** Skips white space and returns the character that comes next. */
  function peek(): string | undefined {
    skip(WHITE_SPACE);
    return text[position];
  }

  function advance(): void {
    position += 1;
  }

  function skip(pattern: RegExp): boolean {
    pattern.lastIndex = position;
    if (!pattern.test(text)) return false;
    position = pattern.lastIndex;
    return true;
  }

  function expected(what: string): string {
    return position >= text.length ? "the text ends too early" : `expected ${what}`;
  }
}

/** The offset of the value at each path, or of the nearest thing around it. The text must be free of faults. */
export function offsetsOf(text: string, paths: readonly FieldPath[]): number[] {
  const found = paths.map(() => 0);
  scanJSON(text, (here, offset) => {
    for (const [index, path] of paths.entries()) {
      if (here.length <= path.length && here.every((key, at) => key === path[at])) {
        found[index] = offset;
      }
    }
  });
  return found;
}
