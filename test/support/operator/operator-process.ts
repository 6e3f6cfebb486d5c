/** Runs `omnia operator` as a child process, for one API server. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../../src/time/clock.ts";
import { LATE, within } from "../../../src/time/within.ts";
import { ProcessGuard } from "../processes/process-guard.ts";

const PROGRAM = join(import.meta.dirname, "../../../bin/omnia.ts");
const READY_TIMEOUT_MS = 90_000;
/** Shorter than a test may take: what was logged until then says more than that the test took too long. */
const PATIENCE_MS = 90_000;
/** With these, tests do not wait for the limit on requests. */
const REQUESTS_PER_SECOND = 500;
/** As the chart has it. */
const NODE_OPTIONS = "--max-old-space-size=256 --max-semi-space-size=4";
export const AGENT_IMAGE = "omnia-agent:test";

export interface OperatorProcessOptions {
  kubeconfig: string;
  /** The namespaces that are watched. Without it, all are watched. */
  namespaces?: readonly string[];
  /** With it, the operator leads only when no other does. */
  leaseNamespace?: string;
  /** The pod in the namespace of the lease that it runs in, as the chart tells it. */
  pod?: { name: string; uid: string } | undefined;
  flags?: readonly string[];
  /** The file that Node.js runs. @default the sources */
  program?: string;
}

type LogLine = Record<string, unknown> & { level?: string; msg?: string };

export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  /** Everything that it printed. */
  output = "";
  /** Whether its output has ended too, which may go on after its exit. */
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  private constructor(options: OperatorProcessOptions, folder: string) {
    const { kubeconfig, namespaces = [], leaseNamespace, flags = [], program = PROGRAM } = options;
    const { pod } = options;
    const ofPod = {
      POD_NAMESPACE: leaseNamespace,
      POD_NAME: pod?.name,
      POD_UID: pod?.uid,
    };
    const lease =
      leaseNamespace === undefined
        ? ["--no-leader-elect"]
        : ["--leader-election-namespace", leaseNamespace];
    const rate = [
      `--kube-api-qps=${REQUESTS_PER_SECOND}`,
      `--kube-api-burst=${REQUESTS_PER_SECOND}`,
    ];
    const port = ["--management-port", "0"];
    const scope = namespaces.length === 0 ? [] : ["--namespace", ...namespaces];
    const image = ["--agent-image", AGENT_IMAGE];
    const args = [program, "operator", ...image, ...port, ...rate, ...lease, ...flags, ...scope];
    this.#child = spawn(process.execPath, args, {
      cwd: folder,
      env: {
        PATH: process.env["PATH"] ?? "",
        KUBECONFIG: kubeconfig,
        LOG_LEVEL: "debug",
        NODE_OPTIONS,
        ...(pod === undefined ? {} : ofPod),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const read = (text: string): void => {
      this.output += text;
      this.#tell();
    };
    this.#child.stdout?.setEncoding("utf8").on("data", read);
    this.#child.stderr?.setEncoding("utf8").on("data", read);
    const guard = new ProcessGuard(folder);
    guard.watch(this.#child);
    this.#ended = once(this.#child, "close").then(async () => {
      this.#isOver = true;
      this.#tell();
      await guard.end();
    });
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves when it knows the cluster, whether it leads or not. */
  static async start(options: OperatorProcessOptions): Promise<OperatorProcess> {
    const folder = await mkdtemp(join(tmpdir(), "omnia-operator-"));
    const operator = new OperatorProcess(options, folder);
    const { managementPort } = await operator.logs("The operator runs");
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${String(managementPort)}/readyz`);
      if (response.status === 200) return operator;
      if (performance.now() > deadline) {
        throw new Error(`the operator is not ready: ${await response.text()}\n${operator.output}`);
      }
      await delay(20);
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get lines(): LogLine[] {
    return this.output
      .split("\n")
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Resolves to the first line of its log that says so. */
  async logs(message: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(({ msg }) => msg === message);
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`the operator ended:\n${this.output}`);
      if ((await within(PATIENCE_MS, this.#changed.promise, systemClock)) === LATE) {
        const last = this.lines.at(-1)?.msg ?? "nothing";
        throw new Error(`no "${message}" in the log, which ends with "${last}":\n${this.output}`);
      }
    }
  }

  /** Ends it in good order, so that it gives the lease back. Resolves to its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    await this.#ended;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
