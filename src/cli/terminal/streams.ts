import { styleText } from "node:util";
import type { Readable, Writable } from "node:stream";

/** What a command reads from and writes to. `process` has this form. */
export interface Streams {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type OutputFormat = "text" | "json";

export type Style = "dim" | "red" | "green" | "yellow" | "bold";

/** Colours the text when the stream is a terminal that wants colour (NO_COLOR, FORCE_COLOR, TERM). */
export function styled(style: Style, text: string, stream: Writable): string {
  return styleText(style, text, { stream });
}

/**
 * Removes from text of others (an answer of a model, a message from a server) the control characters that a terminal would obey,
 * except line feed and tab. The text is left as it is when the stream is not a terminal.
 */
export function printable(text: string, stream: { isTTY?: boolean }): string {
  return stream.isTTY === true ? text.replaceAll(/(?![\n\t])\p{Cc}/gu, "") : text;
}

export function printLine(stream: Writable, line: string): void {
  stream.write(`${line}\n`);
}

export function printJSON(stream: Writable, value: unknown): void {
  stream.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
