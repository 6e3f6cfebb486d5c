import { styleText } from "node:util";
import type { Readable, Writable } from "node:stream";

/** What a command reads from and writes to. `process` is one. */
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
 * Text of others (a model's answer, a message from a server) without what a terminal would obey: control characters but
 * line feed and tab. Off a terminal the text is left as it is.
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
