/** Records what README.md begins with, from the running program: `make up`, and a first answer in another terminal. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../e2e/eventually.ts";
import { castPicture } from "./cast-picture.ts";
import { type Cast, type CastEvent, writeCast } from "./cast.ts";

const ROOT = join(import.meta.dirname, "../..");
const IMAGES = join(ROOT, "docs/images");
const COLUMNS = 116;
const ROWS = 20;
const QUESTION = "What is the weather like in Berlin?";
const LOCAL_PORT = /localhost:\d+/g;

export interface RecordingOptions {
  /** Whether keys are pressed, and the demo speaks, at a person's pace. */
  readonly unhurried: boolean;
}

export async function recordFirstAnswer({ unhurried }: RecordingOptions): Promise<Cast> {
  const home = await mkdtemp(join(tmpdir(), "omnia-recording-"));
  const recording = new Recording(unhurried);
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    OMNIA_DEMO_PAUSES: unhurried ? "on" : "off",
    // Of make: variables of the environment are its own. The port that people use may be taken here.
    ARGS: "--port 0 --no-open",
  };
  try {
    await recording.type("make up");
    await using up = new TerminalProgram(["make", "--silent", "up"], env);
    const stop = recording.follow(up);
    await up.shows(/Talk to it:[^]*Running/);
    await recording.pause(1_500);
    stop();
    recording.show("\r\n");
    await recording.type("./omnia chat quickstart", " # in another terminal");
    await using chat = new TerminalProgram(["./omnia", "chat", "quickstart"], env);
    recording.follow(chat);
    await chat.shows(/\n.*> /);
    await recording.pause(800);
    await recording.press(chat, QUESTION);
    await chat.shows(/evening\.[^]*> /);
    await recording.pause(1_500);
    chat.press("\u0004");
    await chat.ended;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  return {
    columns: COLUMNS,
    rows: ROWS,
    title: "make up starts an agent, and omnia chat quickstart talks to it",
    events: recording.events,
  };
}

class Recording {
  readonly events: CastEvent[] = [];
  readonly #unhurried: boolean;
  readonly #begin = performance.now();

  constructor(unhurried: boolean) {
    this.#unhurried = unhurried;
  }

  show(output: string): void {
    const at = Math.round(performance.now() - this.#begin) / 1_000;
    this.events.push({ at, output: output.replaceAll(LOCAL_PORT, "localhost:8080") });
  }

  /** Shows a command at a prompt, as if it were typed. */
  async type(command: string, remark = ""): Promise<void> {
    this.show("\u001b[32m$\u001b[39m ");
    await this.pause(600);
    for (const character of command) {
      this.show(character);
      await this.pause(45);
    }
    await this.pause(300);
    this.show(`\u001b[2m${remark}\u001b[22m\r\n`);
  }

  /** Types into the program, which shows it itself, and sends it off. */
  async press(program: TerminalProgram, text: string): Promise<void> {
    for (const character of text) {
      program.press(character);
      await this.pause(45);
    }
    program.press("\r");
  }

  follow(program: TerminalProgram): () => void {
    const show = (output: string): void => this.show(output);
    return program.follow(show);
  }

  async pause(milliseconds: number): Promise<void> {
    if (this.#unhurried) await delay(milliseconds);
  }
}

/** A program of the checkout in a terminal of its own. */
class TerminalProgram implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<unknown>;
  #output = "";

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const terminal = [
      join(import.meta.dirname, "run-in-terminal.py"),
      String(COLUMNS),
      String(ROWS),
    ];
    this.#child = spawn("python3", [...terminal, ...command], { cwd: ROOT, env });
    this.ended = once(this.#child, "close");
    this.#child.stdin.on("error", () => {});
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  /** Gives what it has shown, and what it shows from now on, until the answer is called. */
  follow(show: (output: string) => void): () => void {
    if (this.#output !== "") show(this.#output);
    this.#child.stdout.on("data", show);
    return () => this.#child.stdout.off("data", show);
  }

  press(keys: string): void {
    this.#child.stdin.write(keys);
  }

  async shows(expected: RegExp): Promise<void> {
    await eventually(`${String(expected)} in ${JSON.stringify(this.#output)}`, () =>
      expected.test(this.#output) ? true : undefined,
    );
  }

  /** Ctrl-C, as often as it takes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.press("\u0003");
    await this.ended;
  }
}

if (import.meta.main) {
  const cast = await recordFirstAnswer({ unhurried: true });
  await writeFile(join(IMAGES, "first-answer.cast"), writeCast(cast));
  await writeFile(join(IMAGES, "first-answer.svg"), await castPicture(cast));
  process.stdout.write("wrote docs/images/first-answer.cast and first-answer.svg\n");
}
