/** Asks a person at a terminal, a line at a time. */
import { createInterface, type Interface } from "node:readline";
import { styled, type Line } from "../../observability/terminal/line.ts";
import { printLine, printText } from "../../observability/terminal/writer.ts";
import { CliError } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";

export interface Option<Value> {
  readonly value: Value;
  /** What may be typed in place of the number. */
  readonly name: string;
  readonly line: string;
}

export class Questions implements Disposable {
  readonly #streams: Streams;
  readonly #signal: AbortSignal;
  #lines: { input: Interface; iterator: AsyncIterator<string> } | undefined;

  constructor(streams: Streams, signal: AbortSignal) {
    this.#streams = streams;
    this.#signal = signal;
  }

  /** Returns what was typed, or `byDefault` for an empty line. Asks again while `problemOf` finds something wrong. */
  async ask(
    question: string,
    byDefault: string | undefined,
    problemOf: (answer: string) => string | undefined = () => undefined,
  ): Promise<string> {
    for (;;) {
      const hint = byDefault === undefined ? "" : ` [${byDefault}]`;
      printText(this.#streams.stderr, `${question}${hint}: `);
      const typed = (await this.#nextLine()).trim();
      const answer = typed === "" ? byDefault : typed;
      const problem =
        answer === undefined ? "An answer is needed, or Ctrl-C to leave." : problemOf(answer);
      if (answer !== undefined && problem === undefined) return answer;
      this.tell(styled("yellow", problem ?? ""));
    }
  }

  /** Lets a person choose by number or by name; the first option is the default. */
  async choose<Value>(question: string, options: readonly Option<Value>[]): Promise<Value> {
    for (const [index, { line }] of options.entries()) this.tell(`  ${index + 1}) ${line}`);
    const find = (answer: string): Option<Value> | undefined =>
      options.find(({ name }, index) => answer === String(index + 1) || answer === name);
    const answer = await this.ask(question, "1", (typed) =>
      find(typed) === undefined ? `Give a number from 1 to ${options.length}.` : undefined,
    );
    return (find(answer) as Option<Value>).value;
  }

  tell(line: Line): void {
    printLine(this.#streams.stderr, line);
  }

  async #nextLine(): Promise<string> {
    if (this.#lines === undefined) {
      // The terminal itself lets people edit a line.
      const options = { input: this.#streams.stdin, terminal: false, signal: this.#signal };
      const input = createInterface(options);
      this.#lines = { input, iterator: input[Symbol.asyncIterator]() };
    }
    const { done, value } = await this.#lines.iterator.next();
    this.#signal.throwIfAborted();
    if (done !== true) return value;
    printLine(this.#streams.stderr);
    throw new CliError("The input ended before all was asked. Nothing was written.", {
      cure: "Give the answers as flags: see --help. With --yes nothing is asked.",
    });
  }

  [Symbol.dispose](): void {
    this.#lines?.input.close();
  }
}
