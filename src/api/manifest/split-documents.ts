/** Cuts the text of a file into documents where kubectl does, and says where it finds something that kubectl refuses. */
import { BYTE_ORDER_MARK } from "./text-positions.ts";
import { endOfJSON } from "./json-value.ts";

export interface DocumentPart {
  readonly text: string;
  /** Where the part begins in the file. */
  readonly offset: number;
  /** Whether it is one JSON value. Otherwise it is YAML. */
  readonly isJSON: boolean;
  readonly problems: readonly PartProblem[];
}

export interface PartProblem {
  /** Counted from the beginning of the file. */
  readonly offset: number;
  readonly severity: "error" | "warning";
  readonly message: string;
}

const JSON_ONLY =
  'kubectl reads nothing but JSON behind several JSON objects; put a line "---" between all of them';
const TEXT_BEHIND_SEPARATOR =
  'kubectl refuses a line "---" with something behind it; write that into the next line';
const MARK_BEFORE_SEPARATOR =
  'a byte order mark, which no editor shows, hides this "---" from kubectl; remove it';
const YAML_NAMED_JSON = "is not JSON, although the file is named so; let its name end in .yaml";

/**
 * As kubectl does, takes JSON values one after the other for as long as it can, and YAML from there. `isNamedJSON` says whether the
 * name of the file ends in `.json`: then a document that begins like JSON must be JSON, because other tools and older kubectls
 * refuse it otherwise.
 */
export function splitDocuments(text: string, isNamedJSON: boolean): DocumentPart[] {
  const { parts, rest } = splitJSON(text);
  const begin = skipSpace(text, rest);
  if (begin === text.length) return parts;
  if (parts.length > 1) {
    const problems = [{ offset: begin, severity: "error" as const, message: JSON_ONLY }];
    return [...parts, { text: "", offset: begin, isJSON: false, problems }];
  }
  const yaml = splitYAML(text, parts.length === 0 ? rest : nextLine(text, rest));
  return [...parts, ...(isNamedJSON ? yaml.map(withJSONProblem) : yaml)];
}

function splitJSON(text: string): { parts: DocumentPart[]; rest: number } {
  const parts: DocumentPart[] = [];
  let rest = skipMarks(text, 0);
  for (;;) {
    const offset = skipSpace(text, rest);
    if (offset === text.length || (parts.length === 0 && text[offset] !== "{")) break;
    const found = endOfJSON(text, offset);
    if ("fault" in found) break;
    parts.push({ text: text.slice(offset, found.end), offset, isJSON: true, problems: [] });
    rest = found.end;
  }
  return { parts, rest };
}

function splitYAML(text: string, from: number): DocumentPart[] {
  const parts: DocumentPart[] = [];
  let problems: PartProblem[] = [];
  let start = from;
  const end = (at: number): void => {
    const offset = skipMarks(text, start);
    if (at > offset || problems.length > 0) {
      parts.push({ text: text.slice(offset, at), offset, isJSON: false, problems });
    }
    problems = [];
  };
  for (let line = from; line < text.length;) {
    const lineEnd = text.indexOf("\n", line) + 1 || text.length;
    const shown = skipMarks(text, line);
    if (text.startsWith("---", shown)) {
      end(line);
      start = lineEnd;
      const behind = text.slice(shown + 3, lineEnd).trim();
      if (shown > line && line > from) refuse(shown, MARK_BEFORE_SEPARATOR);
      if (behind !== "" && !behind.startsWith("#")) refuse(shown, TEXT_BEHIND_SEPARATOR);
    }
    line = lineEnd;
  }
  end(text.length);
  return parts;

  function refuse(offset: number, message: string): void {
    problems.push({ offset, severity: "error", message });
  }
}

function withJSONProblem(part: DocumentPart): DocumentPart {
  const begin = skipSpace(part.text, 0);
  if (begin === part.text.length) return part;
  if (part.text[begin] === "[" && "end" in endOfJSON(part.text, begin)) return part;
  if (part.text[begin] !== "{" && part.text[begin] !== "#") {
    const warning = { offset: part.offset + begin, severity: "warning" as const };
    return { ...part, problems: [...part.problems, { ...warning, message: YAML_NAMED_JSON }] };
  }
  const found = endOfJSON(part.text, begin);
  const behind = "end" in found ? skipSpace(part.text, found.end) : undefined;
  if (behind === part.text.length) return part;
  const { offset, message } =
    "fault" in found ? found.fault : { offset: behind ?? begin, message: JSON_ONLY };
  const problem = { offset: part.offset + offset, severity: "error" as const, message };
  return { ...part, text: "", problems: [...part.problems, problem] };
}

function skipMarks(text: string, from: number): number {
  let offset = from;
  while (text[offset] === BYTE_ORDER_MARK) offset += 1;
  return offset;
}

function skipSpace(text: string, from: number): number {
  let offset = from;
  while (offset < text.length && /[ \t\r\n\v\f\u0085\u00A0]/.test(text[offset] ?? "")) offset += 1;
  return offset;
}

/** The beginning of the next line when nothing but spaces comes before it, or else of what comes. */
function nextLine(text: string, from: number): number {
  const begin = skipSpace(text, from);
  const lineEnd = text.indexOf("\n", from);
  return lineEnd >= 0 && lineEnd < begin ? lineEnd + 1 : begin;
}
