/** A replica of the survival test: a process that dies, is told to end, and comes back with the same config. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const PROGRAM = resolve(import.meta.dirname, "../../bin/omnia.ts");
const TAKEN_OVER = "A turn whose replica is gone was taken over";

interface LogLine {
  readonly msg?: unknown;
  readonly level?: unknown;
  readonly recovery?: unknown;
}

export class SurvivalReplica implements AsyncDisposable {
  readonly #configPath: string;
  readonly #host: string;
  #child: ChildProcess | undefined;
  #url = "";
  #isFrozen = false;
  /** What it did with the turns that it took over, in all its lives. */
  readonly recoveries: string[] = [];
  /** What it logged as errors, in all its lives. */
  readonly errors: string[] = [];

  constructor(configPath: string, host = "127.0.0.1") {
    this.#configPath = configPath;
    this.#host = host;
  }

  /** Where it was last: nothing listens there when it is away. */
  get url(): string {
    return this.#url;
  }

  get port(): number {
    return Number(new URL(this.#url).port);
  }

  /** Whether new connections are led to it: of one that has just died nobody knows yet. */
  get isOffered(): boolean {
    return !this.#isFrozen;
  }

  async start(): Promise<void> {
    const ports = ["--host", this.#host, "--port", "0", "--management-port", "0"];
    const child = spawn(process.execPath, [PROGRAM, "agent", ...ports], {
      env: { PATH: process.env["PATH"], OMNIA_CONFIG: this.#configPath },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    this.#child = child;
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => this.#read(line));
    const ended = new AbortController();
    child.once("exit", () => ended.abort(new Error("the replica ended at its start")));
    const [{ facadePort }] = (await once(child, "message", { signal: ended.signal })) as [
      { facadePort: number },
    ];
    this.#url = `ws://${this.#host}:${facadePort}`;
  }

  /** As the loss of its machine ends it. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** As a machine that stands still does: it keeps its connections and its work, and takes part in nothing. */
  freeze(): void {
    this.#isFrozen = true;
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#child?.kill("SIGCONT");
  }

  /** As a rollout ends it: it takes nothing new, and brings what runs to its end. */
  drain(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }

  #read(line: string): void {
    let entry: LogLine;
    try {
      entry = JSON.parse(line) as LogLine;
    } catch {
      this.errors.push(line);
      return;
    }
    if (entry.msg === TAKEN_OVER) this.recoveries.push(String(entry.recovery));
    if (entry.level === "error" || entry.level === "fatal" || Number(entry.level) >= 50)
      this.errors.push(line);
  }
}
