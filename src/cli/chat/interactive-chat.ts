/** A chat at the terminal: a prompt, the answer as it comes, the prompt again. */
import { Writable } from "node:stream";
import { createInterface } from "node:readline";
import { ClientError } from "../../protocol/client/client-error.ts";
import type { AnswerFrame } from "../../protocol/frames.ts";
import type { Approval } from "../../protocol/client/open-requests.ts";
import type { SessionClient } from "../../protocol/client/session-client.ts";
import { APPROVAL_KEYS, readApproval, readEdit } from "./approval-answer.ts";
import { QUIT } from "./input.ts";
import type { ChatPrinter } from "./printer.ts";
import type { Interrupts } from "../terminal/interrupts.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";
import { styled } from "../../observability/terminal/line.ts";
import { visibleJSON } from "../../observability/terminal/visible-text.ts";
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
  const typed = lines[Symbol.asyncIterator]();
  /** Undefined when the user ends the chat. */
  async function read(prompt: string): Promise<string | undefined> {
    lines.setPrompt(prompt);
    lines.prompt(true);
    const { value: line, done } = await typed.next();
    if (done === true) return undefined;
    if (unseen.shift() === true) printLine(terminal, line);
    return line.trim() === QUIT ? undefined : line;
  }
  /** Takes nothing for the answer that was typed before the question was seen. */
  async function ask(question: string, draft = ""): Promise<string | undefined> {
    while (unseen.length > 0) {
      unseen.shift();
      await typed.next();
    }
    if (lines.line !== "") clearLine();
    lines.setPrompt(question);
    lines.prompt();
    if (draft !== "") lines.write(draft);
    const { value: line, done } = await typed.next();
    unseen.shift();
    return done === true || line.trim() === QUIT ? undefined : line;
  }
  try {
    await attempt(() => client.caughtUp(interrupts.signal));
    while (!interrupts.signal.aborted) {
      if (client.openRequests.length > 0) {
        const answers = await askAbout(client.openRequests);
        if (answers === undefined) break;
        await attempt(() => client.answer(answers, interrupts.signal));
        continue;
      }
      const line = await read(PROMPT);
      if (line === undefined) break;
      if (line.trim() !== "") await attempt(() => client.turn(line, interrupts.signal));
    }
  } finally {
    interrupts.signal.removeEventListener("abort", close);
    lines.close();
  }
  printLine(terminal);
  printLine(terminal, styled("dim", `To go on with this session: --session ${client.sessionId}`));

  /** What is typed meanwhile is not shown, so that the answer stays in one piece. */
  async function attempt(work: () => Promise<unknown>): Promise<void> {
    output.muted = true;
    try {
      await work();
    } catch (error) {
      if (interrupts.signal.aborted) return;
      if (!(error instanceof ClientError)) throw error;
      printer.failure(error.message);
    } finally {
      output.muted = false;
    }
  }

  /** Undefined when the user ends the chat. The calls wait on then. */
  async function askAbout(calls: readonly Approval[]): Promise<AnswerFrame[] | undefined> {
    const answers: AnswerFrame[] = [];
    for (const call of calls) {
      const answer = await askAboutOne(call);
      if (answer === undefined) return undefined;
      answers.push(answer);
    }
    return answers;
  }

  async function askAboutOne(call: Approval): Promise<AnswerFrame | undefined> {
    const written = visibleJSON(JSON.stringify(call.arguments));
    printLine(terminal, `The agent asks whether it may call ${call.name} ${written}`);
    for (;;) {
      const line = await ask(`${APPROVAL_KEYS} > `);
      if (line === undefined) return undefined;
      const answer = readApproval(line, call);
      if (answer === undefined) continue;
      if (answer !== "edit") return answer;
      const edited = await ask("arguments > ", written);
      if (edited === undefined) return undefined;
      const approved = readEdit(edited, call);
      if (approved !== undefined) return approved;
      printer.failure("The arguments must be a JSON object.");
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
