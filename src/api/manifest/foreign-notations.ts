/** Notations that the `yaml` package takes and kubectl refuses, or reads in another way. */
import { Scalar } from "yaml";

export interface Notation {
  /** Counted from the beginning of the text. */
  readonly offset: number;
  readonly severity: "error";
  readonly message: string;
}

const DIRECTIVE = "kubectl refuses a directive (%) at the head of a document; remove this line";
const LONE_END = 'kubectl refuses a line "..." with no document before it; remove it';
const MARK =
  "a byte order mark behind the beginning of a document, which no editor shows; remove it";
const LINE_SEPARATOR =
  "an unusual end of a line (U+0085, U+2028 or U+2029), which no editor shows; remove it";
const TAB_AFTER_VALUE = "a tab in the indentation; YAML allows only spaces there";
const SLASH = 'kubectl knows no "\\/" in a YAML text; write "/"';
const SURROGATE =
  'kubectl knows no "\\u" of half a character in a YAML text; write the character, or "\\U" with eight digits';

const SEPARATORS = /[\u0085\u2028\u2029]/g;
/** What stands before everything else but comments. */
const HEAD = /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:(%)|(\uFEFF)|\.\.\.(?=\s|$))/;

/** The notation at the head of a document that keeps kubectl from reading it. */
export function refusedHead(text: string): Notation | undefined {
  const [found, directive, mark] = HEAD.exec(text) ?? [];
  if (found === undefined) return undefined;
  const end = { offset: found.length, severity: "error" as const };
  if (directive !== undefined) return { ...end, offset: found.length - 1, message: DIRECTIVE };
  if (mark !== undefined) return { ...end, message: MARK };
  return { ...end, offset: found.length - 3, message: LONE_END };
}

/** What is foreign to kubectl in `text`, which holds `scalars` and no errors of syntax. */
export function foreignNotations(text: string, scalars: readonly Scalar[]): Notation[] {
  const report = (offset: number, message: string): Notation => ({
    offset,
    severity: "error",
    message,
  });
  const separators = new Set([...text.matchAll(SEPARATORS)].map(({ index }) => index));
  const hasTabs = /\n *\t/.test(text);
  const found = scalars.flatMap((scalar) => {
    const [start = 0, end = 0] = scalar.range ?? [];
    const isDouble = scalar.type === Scalar.QUOTE_DOUBLE;
    if (separators.size > 0 && (isDouble || scalar.type === Scalar.QUOTE_SINGLE)) {
      // Between quotes kubectl keeps them, except for the first.
      for (let offset = start; offset < end; offset += 1) {
        if (text[offset] !== "\u0085") separators.delete(offset);
      }
    }
    if (isDouble) {
      const [escape] = /^(?:[^\\]|\\(?!\/|u[dD][89a-fA-F])[^])*\\(?=\/|u[dD][89a-fA-F])/.exec(
        text.slice(start, end),
      ) ?? [undefined];
      if (escape === undefined) return [];
      const offset = start + escape.length - 1;
      return [report(offset, text[offset + 1] === "/" ? SLASH : SURROGATE)];
    }
    if (hasTabs && scalar.type === Scalar.PLAIN) {
      const offset = tabAfter(text, start, end);
      return offset === undefined ? [] : [report(offset, TAB_AFTER_VALUE)];
    }
    return [];
  });
  return [...found, ...[...separators].map((offset) => report(offset, LINE_SEPARATOR))];
}

/**
 * kubectl looks for more of a value without quotes in the next lines, and refuses a tab there that is indented no further than the
 * line of the value.
 */
function tabAfter(text: string, start: number, end: number): number | undefined {
  const blank = /[ \t]*\r?\n(?: *\r?\n)*( *)\t/y;
  blank.lastIndex = end;
  const found = blank.exec(text);
  if (found === null) return undefined;
  const line = text.lastIndexOf("\n", start - 1) + 1;
  const indentation = /^ */.exec(text.slice(line, start))?.[0].length ?? 0;
  return (found[1] ?? "").length > indentation ? undefined : blank.lastIndex - 1;
}
