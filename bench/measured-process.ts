/** A process of its own for what is measured: its CPU time and memory are read from the system, from outside. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentConfig } from "../src/agent-config/agent-config.ts";
import { anAgentConfig } from "../test/support/builders/agent-config.ts";

const ROOT = join(import.meta.dirname, "..");
const PROGRAM = join(ROOT, "dist/omnia.js");

export class MeasuredProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string | undefined;

  private constructor(child: ChildProcess, port: number, folder?: string) {
    this.#child = child;
    this.port = port;
    this.#folder = folder;
  }

  /** A program of this folder that tells its port over the channel to its parent. */
  static async start(file: string, args: readonly string[] = []): Promise<MeasuredProcess> {
    const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new MeasuredProcess(child, port);
  }

  /** One replica of an agent, as users run it. */
  static async startAgent(
    config: Partial<AgentConfig>,
    secrets: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<MeasuredProcess> {
    const folder = await mkdtemp(join(tmpdir(), "omnia-bench-"));
    const path = join(folder, "agent.json");
    for (const [name, value] of Object.entries(secrets)) await writeFile(join(folder, name), value);
    await writeFile(path, JSON.stringify(anAgentConfig(config)));
    const listen = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0"];
    const child = spawn(process.execPath, [PROGRAM, "agent", "--config", path, ...listen], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, LOG_LEVEL: "error", OMNIA_DEMO_PAUSES: "off", ...env },
    });
    const [ports] = (await once(child, "message")) as [
      { facadePort: number; managementPort: number },
    ];
    const started = new MeasuredProcess(child, ports.facadePort, folder);
    const ready = await fetch(`http://127.0.0.1:${ports.managementPort}/readyz`);
    if (ready.status !== 200) throw new Error(`the agent is not ready: ${await ready.text()}`);
    return started;
  }

  /** User and system time of all its threads since its start. */
  async cpuSeconds(): Promise<number> {
    // Not /proc/<pid>/stat: many kernels fill it by looking at each tick who runs, which misses what is short.
    const tasks = `/proc/${this.#child.pid ?? 0}/task`;
    const times = (await readdir(tasks)).map(async (task) => {
      const [nanoseconds] = (await readFile(join(tasks, task, "schedstat"), "utf8")).split(" ");
      return Number(nanoseconds) / 1e9;
    });
    return (await Promise.all(times)).reduce((sum, seconds) => sum + seconds, 0);
  }

  async residentMegabytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid ?? 0}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true });
  }
}
