/**
 * One process of a replica, from its start to its end, with its readiness in between. It is started once. Its supervisor starts
 * another process after it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import * as z from "zod";
import type { Clock, Timer } from "../../time/clock.ts";
import type { SecretValues } from "../../observability/secrets/secret-values.ts";
import { withoutSecrets } from "../../observability/secrets/without-secrets.ts";
import { errorOfLogLine, LastWords } from "../../observability/log-line.ts";
import { within } from "../../time/within.ts";
import type { NotReadyReason } from "../../observability/readiness-answer.ts";
import { askReadiness } from "../../probes/ask-readiness.ts";
import { keepOutput } from "./output.ts";

export type ProcessState =
  | { state: "starting"; message?: string }
  | { state: "ready"; facadePort: number }
  | { state: "unready"; facadePort: number; message: string }
  | { state: "ended"; message: string };

export interface ReplicaProcessOptions {
  execPath: string;
  arguments: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** The folder of this program, if it is not set. */
  workingFolder?: string | undefined;
  logFile: string;
  clock: Clock;
  /** The secrets that the process was given. They are taken out of what it says. */
  secretValues: SecretValues;
  /** Called when the state has changed. */
  onChange: () => void;
  /** Called with each error that the process logged. */
  onError: (message: string) => void;
}

const HOST = "127.0.0.1";
const STARTING_PROBE_INTERVAL_MS = 100;
const PROBE_INTERVAL_MS = 2_000;
/** Within this time a process must have said where it listens. */
const START_TIMEOUT_MS = 60_000;
/** After so many probes in a row without an answer, a process counts as not ready, and as hung. */
const UNANSWERED_UNREADY = 2;
const UNANSWERED_HUNG = 8;
/** After a process has ended, another one that it started may hold its output open for longer than this. */
const OUTPUT_TIMEOUT_MS = 1_000;

const messageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("listening"),
    facadePort: z.int().min(1).max(65_535),
    managementPort: z.int().min(1).max(65_535),
  }),
  /** The process that leads the group of a runtime in another framework. Null: it has ended. */
  z.object({ type: z.literal("runtime-process"), pid: z.int().min(2).nullable() }),
]);

export class ReplicaProcess {
  readonly #options: ReplicaProcessOptions;
  readonly #child: ChildProcess;
  readonly #lastWords = new LastWords();
  readonly #over = new AbortController();
  #state: ProcessState = { state: "starting" };
  #reasons: readonly NotReadyReason[] = [];
  readonly #startTimer: Timer;
  #killTimer: Timer | undefined;
  #hung = false;
  #managementPort: number | undefined;
  #runtimeGroup: number | undefined;

  constructor(options: ReplicaProcessOptions) {
    this.#options = options;
    this.#child = spawn(options.execPath, [...options.arguments], {
      env: { ...options.environment },
      cwd: options.workingFolder,
      // It has a process group of its own, so that Ctrl-C in the terminal reaches this program alone, which then drains its
      // replicas. If this program is killed, the channel to it closes, and the replica ends by itself.
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const { stdout, stderr } = this.#child;
    const output = keepOutput(
      [stdout, stderr].filter((stream) => stream !== null),
      {
        file: options.logFile,
        secretValues: options.secretValues,
        onLine: (line) => {
          this.#lastWords.add(line);
          const error = errorOfLogLine(line);
          if (error !== undefined) options.onError(error);
        },
      },
    );
    this.#startTimer = options.clock.setTimer(START_TIMEOUT_MS, () => this.#endHung());
    this.#child.on("message", (message) => this.#onMessage(message));
    this.#child.once("error", (error) => {
      // A process without an id never started, so "exit" is not emitted.
      if (this.#child.pid === undefined) this.#end(`it could not be started: ${error.message}`);
    });
    this.#child.once("exit", (code, signal) => void this.#onExit(output, code, signal));
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Why it is not ready, as it said last. */
  get reasons(): readonly NotReadyReason[] {
    return this.#reasons;
  }

  /** Undefined until the process listens. */
  get managementPort(): number | undefined {
    return this.#managementPort;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the process to finish what it does and to end, and kills it if it still runs after `graceMs`. */
  drain(graceMs: number): void {
    if (this.#over.signal.aborted || this.#killTimer !== undefined) return;
    this.#child.kill("SIGTERM");
    this.#killTimer = this.#options.clock.setTimer(graceMs, () => this.kill());
  }

  kill(): void {
    if (!this.#over.signal.aborted) this.#child.kill("SIGKILL");
  }

  #onMessage(value: unknown): void {
    const message = messageSchema.safeParse(value).data;
    switch (message?.type) {
      case "listening":
        if (this.#managementPort !== undefined) return;
        this.#managementPort = message.managementPort;
        this.#startTimer.cancel();
        void this.#watchReadiness(message);
        return;
      case "runtime-process":
        this.#runtimeGroup = message.pid ?? undefined;
        return;
      case undefined:
    }
  }

  /** A replica that was killed leaves the runtime behind that it had started. */
  #killRuntime(): void {
    if (this.#runtimeGroup === undefined) return;
    try {
      process.kill(-this.#runtimeGroup, "SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async #watchReadiness({
    facadePort,
    managementPort,
  }: {
    facadePort: number;
    managementPort: number;
  }): Promise<void> {
    const { signal } = this.#over;
    let unanswered = 0;
    while (!signal.aborted) {
      const answer = await askReadiness(
        { host: HOST, port: managementPort },
        this.#options.clock,
        signal,
      );
      if (signal.aborted) return;
      unanswered = answer === undefined ? unanswered + 1 : 0;
      if (answer?.ready === true) {
        this.#reasons = [];
        this.#become({ state: "ready", facadePort });
      } else if (answer !== undefined || unanswered >= UNANSWERED_UNREADY) {
        this.#reasons = (answer?.reasons ?? []).map(({ about, message }) => ({
          about,
          message: withoutSecrets(this.#options.secretValues.hide(message)),
        }));
        const message =
          answer === undefined
            ? "it does not answer"
            : this.#reasons.map((reason) => reason.message).join("; ");
        this.#become(
          this.#state.state === "starting"
            ? { state: "starting", message }
            : { state: "unready", facadePort, message },
        );
      }
      if (unanswered >= UNANSWERED_HUNG) {
        this.#endHung();
        return;
      }
      const interval =
        this.#state.state === "starting" ? STARTING_PROBE_INTERVAL_MS : PROBE_INTERVAL_MS;
      await this.#options.clock.sleep(interval, signal).catch(() => {});
    }
  }

  #endHung(): void {
    this.#hung = true;
    this.kill();
  }

  async #onExit(
    output: Promise<void>,
    code: number | null,
    signal: NodeJS.Signals | null,
  ): Promise<void> {
    this.#killRuntime();
    await within(OUTPUT_TIMEOUT_MS, output, this.#options.clock);
    this.#end(this.#howItEnded(code, signal));
  }

  #howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#hung) return "it did not answer and was ended";
    // Somebody else ended it, so what it printed before has nothing to do with that.
    if (signal === "SIGKILL" || signal === "SIGTERM") return `it was ended by ${signal}`;
    const how =
      signal === null ? `it ended with code ${code ?? "unknown"}` : `it was ended by ${signal}`;
    const words = this.#lastWords.text;
    return words === undefined ? how : `${how}: ${words}`;
  }

  #end(message: string): void {
    this.#startTimer.cancel();
    this.#killTimer?.cancel();
    this.#over.abort();
    this.#become({ state: "ended", message });
  }

  #become(state: ProcessState): void {
    const before = JSON.stringify(this.#state);
    this.#state = state;
    if (JSON.stringify(state) !== before) this.#options.onChange();
  }
}
