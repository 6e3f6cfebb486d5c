/** A chat at the terminal: a prompt, the answer as it comes, the prompt again. */
import { Writable } from "node:stream";
import { createInterface } from "node:readline";
import { ClientError } from "../../protocol/client/client-error.ts";
import type { SessionClient } from "../../protocol/client/session-client.ts";
import { QUIT } from "./input.ts";
import type { ChatPrinter } from "./printer.ts";
import type { Interrupts } from "../terminal/interrupts.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";
import { styled } from "../../observability/terminal/line.ts";
import { passOn, printLine, type Output } from "../../observability/terminal/writer.ts";

const PROMPT = "> ";

export interface Conversation {
  readonly client: SessionClient;
  readonly printer: ChatPrinter;
  readonly streams: Streams;
  readonly interrupts: Interrupts;
  /** Names the agent and its address. */
  readonly title: string;
  readonly format: OutputFormat;
}

/** Settles when the user ends the chat with Ctrl-D, with `/quit`, or with Ctrl-C while there is nothing to stop. */
export async function converse({
  client,
  printer,
  streams,
  interrupts,
  title,
  format,
}: Conversation): Promise<void> {
  const { stdin, stdout, stderr } = streams;
  const terminal = format === "text" && stdout.isTTY === true ? stdout : stderr;
  const output = new PromptOutput(terminal);
  const lines = createInterface({ input: stdin, output, terminal: true, prompt: PROMPT });
  const close = (): void => lines.close();
  interrupts.signal.addEventListener("abort", close, { once: true });
  lines.on("SIGINT", () => {
    const typing = !output.muted && lines.line !== "";
    if (typing) clearLine();
    else interrupts.press();
  });
  const clearLine = (): void => {
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
  };
  // Lines that are typed during an answer are not shown then. They are shown when their turn comes.
  const unseen: boolean[] = [];
  lines.on("line", () => unseen.push(output.muted));

  printLine(
    terminal,
    styled("dim", `Talking to ${title}. Ctrl-C stops an answer, Ctrl-D or ${QUIT} ends.`),
  );
  try {
    lines.prompt();
    for await (const line of lines) {
      if (unseen.shift() === true) printLine(terminal, line);
      if (line.trim() === QUIT) break;
      if (line.trim() !== "") {
        output.muted = true;
        await answer(line);
        output.muted = false;
      }
      lines.prompt(true);
    }
  } finally {
    interrupts.signal.removeEventListener("abort", close);
    lines.close();
  }
  printLine(terminal);
  printLine(terminal, styled("dim", `To go on with this session: --session ${client.sessionId}`));

  async function answer(message: string): Promise<void> {
    try {
      await client.turn(message, interrupts.signal);
    } catch (error) {
      if (interrupts.signal.aborted) return;
      if (!(error instanceof ClientError)) throw error;
      printer.failure(error.message);
    }
  }
}

/** The terminal as the line editor sees it. While it is muted, it hides what is typed, so that the answer stays in one piece. */
class PromptOutput extends Writable {
  muted = false;
  readonly #terminal: Output;

  constructor(terminal: Output) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
    terminal.on("resize", () => this.emit("resize"));
  }

  get columns(): number {
    return this.#terminal.columns ?? 80;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    if (!this.muted) passOn(this.#terminal, chunk);
    done();
  }
}
