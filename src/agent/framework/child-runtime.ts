/**
 * A runtime that is a child of the agent: it is started again with a growing pause when it ends, and ended once the agent has
 * drained. It leads a process group of its own, so that what it started ends with it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Log } from "../../observability/log.ts";
import type { SecretValues } from "../../observability/secrets/secret-values.ts";
import { exponentialBackoff, jittered, type Backoff } from "../../time/backoff.ts";
import type { Clock } from "../../time/clock.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { LATE, within } from "../../time/within.ts";
import {
  RUNTIME_END_GRACE_MS,
  RUNTIME_RESTART,
  RUNTIME_START_PROBE_MS,
  RUNTIME_START_WAIT_MS,
} from "../contracts/limits.ts";
import { childEnvironment, secretsIn } from "./child-environment.ts";
import { freePort, LOOPBACK } from "./free-port.ts";
import { probeRuntime } from "./probe-runtime.ts";
import {
  RuntimeUnavailableError,
  type GivenToRuntime,
  type RuntimeEndpoint,
} from "./runtime-endpoint.ts";
import { logRuntimeOutput } from "./runtime-output.ts";

export interface ChildRuntimeOptions {
  readonly words: readonly [string, ...string[]];
  readonly healthPath: string | undefined;
  /** The environment of the agent. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configFolder: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly secretValues: SecretValues;
  /** Told of the process that leads the runtime's group, and of undefined when it has ended. */
  readonly onProcess?: ((pid: number | undefined) => void) | undefined;
}

export class ChildRuntime implements RuntimeEndpoint {
  readonly #options: ChildRuntimeOptions;
  readonly #restartDelay: Backoff;
  readonly #closing = new AbortController();
  #given: GivenToRuntime = { provider: undefined, toolsMcpUrl: undefined };
  #running: Promise<void> | undefined;
  /** Where the process listens that runs, or is to. */
  #base: URL | undefined;
  /** Settles with where the next process listens once that answers. */
  #answering = Promise.withResolvers<URL>();
  #lastEnd: string | undefined;
  /** When the process began that runs, in milliseconds of the monotonic clock, and whether it has answered. */
  #startedAt = 0;
  #hasAnswered = false;

  constructor(options: ChildRuntimeOptions) {
    this.#options = options;
    this.#restartDelay = jittered(exponentialBackoff(RUNTIME_RESTART), options.random);
  }

  start(given: GivenToRuntime): void {
    this.#given = given;
    this.#running ??= this.#keepRunning();
  }

  async whenReady(signal: AbortSignal): Promise<URL> {
    const answered = await within(
      RUNTIME_START_WAIT_MS,
      untilAborted(this.#answering.promise, signal),
      this.#options.clock,
    );
    if (answered === LATE) throw new RuntimeUnavailableError(this.#whyNot());
    return answered;
  }

  async problem(): Promise<string | undefined> {
    const { clock, healthPath } = this.#options;
    const base = this.#base;
    if (base === undefined) return this.#whyNot();
    const problem = await probeRuntime({ base, healthPath }, clock);
    return problem !== undefined && this.#isStartingAgain ? this.#whyNot() : problem;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  /**
   * Whether a process has just taken the place of one that ended. Until it answers, or has had its time for that, the end of the
   * one before it tells more, and does not change with each start.
   */
  get #isStartingAgain(): boolean {
    const age = this.#options.clock.monotonic() - this.#startedAt;
    return this.#lastEnd !== undefined && !this.#hasAnswered && age < RUNTIME_START_WAIT_MS;
  }

  #whyNot(): string {
    if (this.#base !== undefined && !this.#isStartingAgain)
      return `the runtime does not answer at ${this.#base.origin}`;
    const end = this.#lastEnd;
    return end === undefined
      ? "the runtime is not started yet"
      : `the runtime does not answer: ${end}; it is started again`;
  }

  /** The delay grows with the processes in a row that did not run well. */
  async #keepRunning(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const ranFor = await this.#runOnce().catch((error: unknown) => {
        this.#lastEnd = "it could not be started";
        log.error({ error }, "The runtime could not be started");
        return 0;
      });
      if (signal.aborted) return;
      failures = ranFor >= RUNTIME_RESTART.lastMs ? 1 : failures + 1;
      const inMs = Math.round(this.#restartDelay(failures));
      log.warn({ how: this.#lastEnd, inMs }, "The runtime ended, and is started again");
      await clock.sleep(inMs, signal).catch(() => {});
    }
  }

  /** Runs one process to its end. Answers for how many milliseconds it was ready. */
  async #runOnce(): Promise<number> {
    const { clock, log, env, configFolder, secretValues } = this.#options;
    const port = await freePort();
    const environment = childEnvironment({
      env,
      port,
      configFolder,
      ...this.#given,
    });
    for (const secret of secretsIn(environment)) secretValues.add(secret);
    const [program, ...words] = this.#options.words;
    const child = spawn(program, words, {
      env: environment,
      detached: true,
      // Nothing is written to its input, which ends when the agent is gone, for whatever reason.
      stdio: ["pipe", "pipe", "pipe"],
    });
    using group = new ProcessGroup(child, this.#options.onProcess);
    child.stdin.on("error", () => {});
    const exited = exitOf(child);
    const output = Promise.all(
      (["stdout", "stderr"] as const).map(async (name) => {
        await logRuntimeOutput(child[name], { output: name, log, secretValues });
      }),
    );
    log.info({ pid: child.pid, port }, "The runtime was started");

    const over = new AbortController();
    const base = new URL(`http://${LOOPBACK}:${port}`);
    this.#base = base;
    this.#startedAt = clock.monotonic();
    this.#hasAnswered = false;
    let readySince: number | undefined;
    const watching = this.#awaitAnswer(base, over.signal).then((hasAnswered) => {
      if (!hasAnswered) return;
      readySince = clock.monotonic();
      this.#hasAnswered = true;
      log.info({ port }, "The runtime answers");
      this.#answering.resolve(base);
    });
    const end = (): void => group.signal("SIGTERM");
    this.#closing.signal.addEventListener("abort", end, { once: true });
    if (this.#closing.signal.aborted) end();
    try {
      const how = await this.#untilEnd(exited, group);
      this.#lastEnd = how;
    } finally {
      this.#closing.signal.removeEventListener("abort", end);
      over.abort();
      this.#base = undefined;
      await watching;
      if (readySince !== undefined) this.#answering = Promise.withResolvers<URL>();
    }
    // Who holds the output open beyond its end is in the group, which is killed.
    group.signal("SIGKILL");
    await within(RUNTIME_END_GRACE_MS, output, clock);
    return readySince === undefined ? 0 : clock.monotonic() - readySince;
  }

  /** Kills the process when it does not end in time once it was asked to. */
  async #untilEnd(exited: Promise<string>, group: ProcessGroup): Promise<string> {
    const asked = untilAborted(exited, this.#closing.signal);
    const how = await asked.catch(() => undefined);
    if (how !== undefined) return how;
    const inTime = await within(RUNTIME_END_GRACE_MS, exited, this.#options.clock);
    if (inTime !== LATE) return inTime;
    group.signal("SIGKILL");
    return await exited;
  }

  /** Answers false when the process ended before. */
  async #awaitAnswer(base: URL, over: AbortSignal): Promise<boolean> {
    const { clock, healthPath } = this.#options;
    while (!over.aborted) {
      if ((await probeRuntime({ base, healthPath }, clock)) === undefined) return !over.aborted;
      await clock.sleep(RUNTIME_START_PROBE_MS, over).catch(() => {});
    }
    return false;
  }
}

/** The processes that a child started. They are killed, too, when this process exits of itself. */
class ProcessGroup implements Disposable {
  readonly #child: ChildProcess;
  readonly #onProcess: ((pid: number | undefined) => void) | undefined;
  readonly #onExit = (): void => this.signal("SIGKILL");

  constructor(child: ChildProcess, onProcess: ((pid: number | undefined) => void) | undefined) {
    this.#child = child;
    this.#onProcess = onProcess;
    process.once("exit", this.#onExit);
    if (child.pid !== undefined) onProcess?.(child.pid);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // None of them is left.
    }
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#onExit);
    if (this.#child.pid !== undefined) this.#onProcess?.(undefined);
  }
}

/** Settles with how it ended, as the end of a sentence. */
async function exitOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    return signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT"
      ? "there is no such program"
      : `it could not be started (${code ?? "unknown"})`;
  }
}
