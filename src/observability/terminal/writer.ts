/**
 * The one writer of what commands print, to a terminal as to a pipe or a file: whoever reads it there may well show it on a terminal
 * later. Nothing else can write to an Output, since nothing else makes a SafeText.
 */
import type { Writable } from "node:stream";
import { styleText } from "node:util";
import { ControlSequence } from "./control-sequence.ts";
import { rendered, type Line } from "./line.ts";
import { visibleJSON, visibleText } from "./visible-text.ts";

declare const safe: unique symbol;
/** A text that a terminal may obey. */
type SafeText = string & { readonly [safe]: true };

/** A stream of Node, such as `process.stdout`, to which only safe text is written. */
export interface Output {
  write(text: SafeText): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

/** A text of one or more lines, or a part of one. `before` is the end of what was printed before it, where a text comes in parts. */
export function printText(output: Output, text: string, before = ""): void {
  write(output, visibleText(text, before));
}

/**
 * A text that is to become a file, such as a manifest. In a pipe or a file it stays as it is, because another character in a prompt
 * would be another prompt; a terminal is shown it as any text.
 */
export function printFile(output: Output, text: string): void {
  write(output, output.isTTY === true ? visibleText(text) : text);
}

export function printLine(output: Output, line: Line = ""): void {
  write(output, `${painted(output, line)}\n`);
}

export function printJSON(output: Output, value: unknown): void {
  write(output, `${visibleJSON(JSON.stringify(value, undefined, 2))}\n`);
}

/** JSON that somebody else wrote, as one line and otherwise as it is. */
export function printJSONText(output: Output, json: string): void {
  const line = /[\r\n]/.test(json) ? JSON.stringify(JSON.parse(json)) : json;
  write(output, `${visibleJSON(line)}\n`);
}

/** In one write, so that a terminal never shows half of it. */
export function draw(output: Output, parts: readonly (Line | ControlSequence)[]): void {
  const texts = parts.map((part) =>
    part instanceof ControlSequence ? part.sequence : painted(output, part),
  );
  write(output, texts.join(""));
}

/** For the line editor of a chat: its own control sequences, and what the user types. */
export function passOn(output: Output, chunk: string | Buffer): void {
  write(output, chunk.toString());
}

/** Resolves when everything that was printed to `output` has left the process. */
export function printed(output: Output): Promise<void> {
  const stream = output as unknown as Writable;
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/** Colours only for a terminal that wants colour (NO_COLOR, FORCE_COLOR, TERM). */
function painted(output: Output, line: Line): string {
  // The type hides only that other text can be written, too.
  const stream = output as unknown as Writable;
  return rendered(line, (style, text) => styleText(style, text, { stream }));
}

function write(output: Output, text: string): void {
  output.write(text as SafeText);
}
