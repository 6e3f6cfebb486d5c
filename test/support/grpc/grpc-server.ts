/** Real gRPC servers of a test's own: grpcio of Python, and grpc-js, each with its reflection, on a free port of loopback. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../src/time/clock.ts";
import { installed, nodePackagesFor, pythonFor } from "../processes/installed.ts";

const START_TIMEOUT_MS = 60_000;

export interface GrpcioOptions {
  /** @default true */
  reflection?: boolean | undefined;
  /** A service of another package that has the same name. */
  withStore?: boolean | undefined;
  /** Paths of PEM files. */
  tls?: { readonly certificate: string; readonly key: string } | undefined;
}

export interface GrpcServer extends AsyncDisposable {
  readonly port: number;
  /** What it has said of its calls, one line each. */
  readonly lines: readonly string[];
  /** Starts again after `kill`, on the same port. */
  start(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

export async function startGrpcio(options: GrpcioOptions = {}): Promise<GrpcServer> {
  const python = await pythonFor(import.meta.dirname);
  const modules = await protocols();
  const { reflection = true, withStore = false, tls } = options;
  const settings = [reflection ? "yes" : "no", tls?.certificate ?? "", tls?.key ?? ""];
  const server = new RunningServer(
    join(python, "bin/python"),
    (port) => [join(import.meta.dirname, "serve.py"), String(port), ...settings],
    { ...process.env, PYTHONPATH: modules, WITH_STORE: withStore ? "yes" : "no" },
  );
  await server.start();
  return server;
}

export async function startGrpcJS(): Promise<GrpcServer> {
  const folder = join(import.meta.dirname, "node");
  const packages = await nodePackagesFor(folder);
  const server = new RunningServer(
    process.execPath,
    (port) => [join(folder, "server.mjs"), packages, String(port)],
    process.env,
  );
  await server.start();
  return server;
}

/** What protoc made of shop.proto and store.proto, with their imports and comments. */
export async function shopDescriptors(): Promise<Buffer> {
  return await readFile(join(await protocols(), "shop.pb"));
}

/** The folder with what protoc makes of the .proto files. */
function protocols(): Promise<string> {
  return installed([join(import.meta.dirname, "protocols-build")]);
}

class RunningServer implements GrpcServer {
  readonly lines: string[] = [];
  readonly #program: string;
  readonly #argumentsFor: (port: number) => string[];
  readonly #environment: NodeJS.ProcessEnv;
  #port = 0;
  #process: ChildProcess | undefined;

  constructor(
    program: string,
    argumentsFor: (port: number) => string[],
    environment: NodeJS.ProcessEnv,
  ) {
    this.#program = program;
    this.#argumentsFor = argumentsFor;
    this.#environment = environment;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, this.#argumentsFor(this.#port), {
      stdio: ["pipe", "pipe", "pipe"],
      env: this.#environment,
    });
    let output = "";
    let rest = "";
    const listening = Promise.withResolvers<number>();
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8_192);
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const port = /^listening on (\d+)$/.exec(line)?.[1];
        if (port === undefined) this.lines.push(line);
        else listening.resolve(Number(port));
      }
    };
    child.stdout.on("data", read);
    child.stderr.on(
      "data",
      (chunk: Buffer) => (output = (output + chunk.toString()).slice(-8_192)),
    );
    child.once("error", (error) => listening.reject(error));
    child.once("exit", (code, signal) => {
      listening.reject(new Error(`the server ended (${signal ?? code}) at its start:\n${output}`));
    });
    const timer = systemClock.setTimer(START_TIMEOUT_MS, () => {
      listening.reject(new Error(`the server was not ready in time:\n${output}`));
      child.kill("SIGKILL");
    });
    try {
      this.#port = await listening.promise;
    } finally {
      timer.cancel();
    }
    this.#process = child;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
