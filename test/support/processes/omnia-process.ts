/** The program as a child process, as users start it. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { systemClock } from "../../../src/time/clock.ts";
import { LATE, within } from "../../../src/time/within.ts";

/** Shorter than a test may take: what was printed until then says more than that the test took too long. */
const PATIENCE_MS = 90_000;
const PROGRAM = fileURLToPath(new URL("../../../bin/omnia.ts", import.meta.url));
/** What a test forgot to end, ends. It is longer than the tests of a file take on a slow machine, which may share one process. */
const MAX_LIFE_MS = 20 * 60_000;

export interface OmniaOptions {
  /** Beside PATH; nothing else of this process's environment gets in. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the standard input, which then ends. */
  readonly input?: string;
  readonly cwd?: string;
}

export interface OmniaResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export async function omnia(
  args: readonly string[],
  options: OmniaOptions = {},
): Promise<OmniaResult> {
  const child = new OmniaProcess([process.execPath, PROGRAM, ...args], options);
  child.write(options.input ?? "");
  child.endInput();
  return child.ended;
}

/** What a command printed as JSON; rejects with its exit code and its errors when it printed none. */
export function printedJSON({ code, out, err }: OmniaResult): unknown {
  try {
    return JSON.parse(out);
  } catch (cause) {
    throw new Error(
      `the command ended with ${code}, and printed no JSON: ${err.trim()}${out.trim()}`,
      { cause },
    );
  }
}

/** Starts a command that is talked to while it runs. */
export function startOmnia(args: readonly string[], options: OmniaOptions = {}): OmniaProcess {
  return new OmniaProcess([process.execPath, PROGRAM, ...args], options);
}

/** The same at a terminal: what is written are keys, and both outputs are one. */
export function startOmniaAtTerminal(
  args: readonly string[],
  options: OmniaOptions = {},
): OmniaProcess {
  const command = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(" ");
  const env = { TERM: "xterm", SHELL: "/bin/sh", ...options.env };
  return new OmniaProcess(["script", "-qefc", command, "/dev/null"], { ...options, env });
}

export class OmniaProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #timer: NodeJS.Timeout;
  readonly ended: Promise<OmniaResult>;
  out = "";
  err = "";
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  constructor([command = "", ...args]: readonly string[], { env, cwd }: OmniaOptions) {
    this.#child = spawn(command, args, {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdin.on("error", () => {});
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#add("out", text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#add("err", text));
    this.#timer = setTimeout(() => this.kill("SIGKILL"), MAX_LIFE_MS);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code) => {
        clearTimeout(this.#timer);
        resolve({ code, out: this.out, err: this.err });
        // The output may go on after the exit, and ends here.
        this.#isOver = true;
        this.#tell();
      });
    });
  }

  #add(stream: "out" | "err", text: string): void {
    this[stream] += text;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the process was not started");
    return this.#child.pid;
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** Nobody reads any more what the command prints. */
  closeOutput(): void {
    this.#child.stdout.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Settles when the standard output shows it; what moves a terminal's cursor does not count. */
  async shows(expected: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = expected.exec(stripVTControlCharacters(this.out));
      if (found !== null) return found;
      if (this.#isOver) {
        throw new Error(`it ended without ${String(expected)}:\n${this.out}\n${this.err}`);
      }
      if ((await within(PATIENCE_MS, this.#changed.promise, systemClock)) === LATE) {
        throw new Error(`it stands still without ${String(expected)}:\n${this.out}\n${this.err}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.kill("SIGKILL");
    await this.ended;
  }
}
