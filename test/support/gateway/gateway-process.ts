/** `omnia gateway` as a process of its own, on free ports of the loopback. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { vi } from "vitest";

const PROGRAM = join(import.meta.dirname, "../../../bin/omnia.ts");

export class GatewayProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ports: { readonly port: number; readonly managementPort: number };
  /** What it logged. */
  readonly lines: string[];

  private constructor(
    child: ChildProcess,
    ports: { port: number; managementPort: number },
    lines: string[],
  ) {
    this.#child = child;
    this.#ports = ports;
    this.lines = lines;
  }

  /** Settles when it listens. It is ready once it knows the agents. */
  static async start(
    kubeconfig: string,
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<GatewayProcess> {
    const listen = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0"];
    const child = spawn(
      process.execPath,
      [PROGRAM, "gateway", "--kubeconfig", kubeconfig, ...listen, ...flags],
      { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "pipe", "ipc"] },
    );
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on("line", (line) => lines.push(line));
    }
    const ports = await new Promise<{ port: number; managementPort: number }>((resolve, reject) => {
      child.once("message", resolve);
      child.once("close", () => reject(new Error(`the gateway ended: ${lines.join("\n")}`)));
    });
    return new GatewayProcess(child, ports, lines);
  }

  static async ready(
    kubeconfig: string,
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<GatewayProcess> {
    const gateway = await GatewayProcess.start(kubeconfig, flags, env);
    await vi.waitFor(async () => {
      const { status } = await gateway.management("/readyz");
      if (status !== 200) throw new Error("the gateway is not ready");
    }, 10_000);
    return gateway;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get port(): number {
    return this.#ports.port;
  }

  get managementPort(): number {
    return this.#ports.managementPort;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#ports.port}`;
  }

  async management(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.managementPort}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** As a rollout ends it. Settles with its exit code when it has ended. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return this.#child.exitCode;
    }
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    return ((await exit) as [number | null])[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
