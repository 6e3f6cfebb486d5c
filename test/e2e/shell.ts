/** Commands as a person types them: a shell in a process group of its own, so that Ctrl-C reaches all that it started. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { eventually } from "./eventually.ts";

export interface ShellOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Typed in, before Ctrl-D. */
  readonly input?: string;
  /** True: the input stays open until `endInput`. */
  readonly keepsInput?: boolean;
}

export interface ShellResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Both outputs. */
  readonly output: string;
}

export class Shell implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<ShellResult>;
  output = "";

  constructor(commands: string, { cwd, env, input = "", keepsInput = false }: ShellOptions) {
    const child = spawn("bash", ["-ec", commands], { cwd, env: { ...env }, detached: true });
    this.#child = child;
    child.stdin.on("error", () => {}).write(input);
    if (!keepsInput) child.stdin.end();
    for (const stream of [child.stdout, child.stderr]) {
      stream
        .setEncoding("utf8")
        .on("data", (text: string) => (this.output += stripVTControlCharacters(text)));
    }
    this.ended = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      output: this.output,
    }));
  }

  shows(expected: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    const look = (): RegExpExecArray | undefined => {
      const found = expected.exec(this.output);
      if (found === null && this.#hasEnded)
        throw new Error(`it ended without ${String(expected)}:\n${this.output}`);
      return found ?? undefined;
    };
    return eventually(`${String(expected)} in the output`, look, timeoutMs);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** Ctrl-C. */
  async interrupt(): Promise<ShellResult> {
    this.#kill("SIGINT");
    return await this.ended;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #kill(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined && !this.#hasEnded) process.kill(-this.#child.pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill("SIGKILL");
    await this.ended;
  }
}
