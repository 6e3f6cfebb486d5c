/** Reads what a process printed: the lines that `log.ts` writes, and what runtimes and other programs print when they end. */
import { withoutCutWord, withoutSecrets } from "./secrets/without-secrets.ts";

const MAX_ERROR_LENGTH = 300;
const MAX_LAST_WORDS_LENGTH = 500;
/** What a kubelet keeps of the end of a log, less the part of a character that the cut may leave. */
const KEPT_BYTES = 2_048 - 3;

/**
 * The kinds of lines, beginning with the kind that best explains why a process ended: an exception that nobody caught, an error in
 * a log, any other text, and a log line that is not an error.
 */
const KINDS = ["thrown", "error", "printed", "logged"] as const;
type Kind = (typeof KINDS)[number];

interface ReadLine {
  readonly kind: Kind;
  readonly text: string;
}

/** Returns the sentence of a log line of level error or fatal, without secrets. Returns `undefined` for every other line. */
export function errorOfLogLine(line: string): string | undefined {
  const entry = readLogLine(line);
  return entry?.kind === "error" ? clean(entry.text, MAX_ERROR_LENGTH) : undefined;
}

/** Follows the lines of a process and keeps the one that best explains why it ended. */
export class LastWords {
  readonly #last = new Map<Kind, string>();

  add(line: string): void {
    const read = readLogLine(line) ?? readText(line);
    if (read !== undefined) this.#last.set(read.kind, read.text);
  }

  /** The line that was kept, without secrets. It is `undefined` when the process printed nothing. */
  get text(): string | undefined {
    const kind = KINDS.find((one) => this.#last.has(one));
    const text = kind && this.#last.get(kind);
    return text && clean(text, MAX_LAST_WORDS_LENGTH);
  }
}

/** Finds the last words in a text that may begin in the middle of a line. */
export function lastWords(text: string): string | undefined {
  const words = new LastWords();
  const isCut = Buffer.byteLength(text) >= KEPT_BYTES && !text.startsWith("{");
  for (const line of (isCut ? withoutCutWord(text) : text).split("\n")) words.add(line);
  return words.text;
}

function readText(line: string): ReadLine | undefined {
  if (/^(?:Uncaught )?\w*(?:Error|Exception)\b.*:/.test(line))
    return { kind: "thrown", text: line };
  // The frames of a stack and the last line of Node say nothing about the cause.
  return /^(?:\s|Node\.js v|$)/.test(line) ? undefined : { kind: "printed", text: line };
}

function readLogLine(line: string): ReadLine | undefined {
  if (!line.trimEnd().endsWith("}")) return undefined;
  return readWholeLine(line) ?? readCutLine(line);
}

function readWholeLine(line: string): ReadLine | undefined {
  if (!line.startsWith("{")) return undefined;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { level, msg, message, error, err } = fields;
  const sentence = [msg, message].find(isText);
  const cause = [error, err].map(messageOf).find(isText);
  const texts = new Set([sentence, cause].filter(isText));
  if (texts.size === 0) return undefined;
  const kind = level === "error" || level === "fatal" ? "error" : "logged";
  return { kind, text: [...texts].join(": ") };
}

function messageOf(error: unknown): unknown {
  return typeof error === "string" ? error : (error as { message?: unknown } | undefined)?.message;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A kubelet keeps the last 2 KiB. That cuts off the beginning of a line with a long stack, but its sentence stands at the end. */
function readCutLine(line: string): ReadLine | undefined {
  const said = /"msg":("(?:[^"\\]|\\.)*")\}\s*$/.exec(line);
  if (said?.[1] === undefined) return undefined;
  const cause = /"message":("(?:[^"\\]|\\.)*")/.exec(line);
  const texts = [said[1], cause?.[1]].map(unquoted).filter(isText);
  const hasStack = line.includes('"stack":') || line.includes("\\n    at ");
  return { kind: hasStack ? "error" : "logged", text: texts.join(": ") };
}

function unquoted(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

function clean(text: string, maxLength: number): string {
  const harmless = withoutSecrets(text.trim());
  return harmless.length > maxLength ? `${harmless.slice(0, maxLength - 1)}…` : harmless;
}
