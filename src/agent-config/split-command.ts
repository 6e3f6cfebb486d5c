/** Splits a command into words as a shell does. No shell runs: variables, patterns and operators mean nothing. */
import { z } from "zod";

export const MAX_COMMAND_WORDS = 1_024;

export type SplitCommand =
  | { readonly ok: true; readonly words: readonly [string, ...string[]] }
  | { readonly ok: false; readonly problem: string };

const listSchema = z.array(z.string()).max(MAX_COMMAND_WORDS);

/** Takes a line such as `python app.py --name "my app"`, or a JSON list of words. */
export function splitCommand(text: string): SplitCommand {
  const line = text.trim();
  if (line.includes("\0")) return problem("it holds a null character");
  const words = line.startsWith("[") ? listOf(line) : wordsOf(line);
  if (typeof words === "string") return problem(words);
  const [first, ...rest] = words;
  if (first === undefined || first === "") return problem("it names no program");
  if (words.length > MAX_COMMAND_WORDS)
    return problem(`it has more than ${MAX_COMMAND_WORDS} words`);
  return { ok: true, words: [first, ...rest] };
}

function problem(text: string): SplitCommand {
  return { ok: false, problem: text };
}

/** A program may be called `[`, so what is no JSON is read as a line. */
function listOf(line: string): readonly string[] | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return wordsOf(line);
  }
  const list = listSchema.safeParse(value);
  return list.success ? list.data : "it is a JSON list that holds something other than words";
}

/** What a shell would take for a variable, and set. */
const ASSIGNMENT = /^[A-Za-z_]\w*=/;

/** One piece of a word: quoted, escaped or plain. An operator is told apart, since a shell would not take it as a word. */
const PIECE =
  /(?<blank>\s+)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[^])*)"|\\(?<escaped>[^])|(?<operator>[|&;<>]+)|(?<plain>[^\s'"\\|&;<>]+)/y;

function wordsOf(line: string): readonly string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < line.length) {
    const at = PIECE.lastIndex;
    const found = PIECE.exec(line)?.groups;
    if (found === undefined) {
      return line[at] === "\\" ? "it ends in a backslash" : `a quote (${line[at]}) is not closed`;
    }
    const { blank, single, double, escaped, operator, plain } = found;
    if (operator !== undefined) {
      return `no shell runs, so "${operator}" has no meaning; put it in quotes, or run a script`;
    }
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    // The line goes on behind it.
    if (escaped === "\n") continue;
    // Within double quotes a backslash is kept, unless it stands before one of these.
    const unquoted = double?.replace(/\\(["\\$`\n])/g, (_, one: string) =>
      one === "\n" ? "" : one,
    );
    word = (word ?? "") + (single ?? unquoted ?? escaped ?? plain ?? "");
  }
  if (word !== undefined) words.push(word);
  const [name] = ASSIGNMENT.exec(words[0] ?? "") ?? [];
  return name === undefined
    ? words
    : `no shell runs, so "${name}" sets no variable; set it in spec.env, or in the image`;
}
