/**
 * A real redis-server of a test's own: a free port of loopback, a temporary folder, gone afterwards. The program is the
 * one of OMNIA_REDIS_SERVER, else `redis-server` on the PATH, else the one that `redis-install` puts into the cache.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { installed } from "../processes/installed.ts";

const run = promisify(execFile);

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const PORT_ATTEMPTS = 5;

export interface RedisOptions {
  /** The password of the default user. */
  password?: string;
  /** Serves TLS only, with a certificate for `localhost` and 127.0.0.1 made for this server. */
  tls?: boolean;
  /** A Sentinel, which holds no data. */
  sentinel?: boolean;
  /** Writes an append-only file, so that what it holds outlives `kill()`. */
  appendOnly?: boolean;
  /** More lines of redis.conf. */
  config?: readonly string[];
}

export interface RedisServer {
  /** With the password, when there is one. */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** The certificate to trust (PEM), for a server with TLS. */
  readonly ca: string | undefined;
  /** Starts again after `stop` or `kill`, with the same port and folder. */
  start(): Promise<void>;
  /** Stops it as an operator does: data that is to be kept is written first. */
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Takes connections but answers nothing until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = await redisServerProgram();
  const folder = await mkdtemp(join(tmpdir(), "omnia-redis-"));
  const ca = options.tls === true ? await makeCertificate(folder) : undefined;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const configFile = join(folder, "redis.conf");
    await writeFile(configFile, configLines(options, folder, port).join("\n") + "\n", {
      mode: 0o600,
    });
    const server = new RunningRedis(program, configFile, folder, port, options, ca);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Another process may have taken the port in between.
      if (attempt < PORT_ATTEMPTS && String(error).includes("Address already in use")) continue;
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

class RunningRedis implements RedisServer {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly ca: string | undefined;
  readonly #program: string;
  readonly #configFile: string;
  readonly #isSentinel: boolean;
  #process: ChildProcess | undefined;

  constructor(
    program: string,
    configFile: string,
    folder: string,
    port: number,
    options: RedisOptions,
    ca: string | undefined,
  ) {
    this.#program = program;
    this.#configFile = configFile;
    this.folder = folder;
    this.port = port;
    this.ca = ca;
    this.#isSentinel = options.sentinel === true;
    const password =
      options.password === undefined ? "" : `:${encodeURIComponent(options.password)}@`;
    this.url =
      options.tls === true
        ? `rediss://${password}localhost:${port}`
        : `redis://${password}127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const args = [this.#configFile, ...(this.#isSentinel ? ["--sentinel"] : [])];
    const child = spawn(this.#program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const ready = Promise.withResolvers<void>();
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8_192);
      const isReady = this.#isSentinel ? "Sentinel ID is" : "Ready to accept connections";
      if (output.includes(isReady)) ready.resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (error) => ready.reject(error));
    child.once("exit", (code, signal) => {
      ready.reject(new Error(`redis-server ended (${signal ?? code}) at its start:\n${output}`));
    });
    const timer = setTimeout(() => {
      ready.reject(new Error(`redis-server was not ready in time:\n${output}`));
      child.kill("SIGKILL");
    }, START_TIMEOUT_MS);
    const killWithTest = (): boolean => child.kill("SIGKILL");
    process.once("exit", killWithTest);
    child.once("exit", () => process.removeListener("exit", killWithTest));
    try {
      await ready.promise;
    } finally {
      clearTimeout(timer);
    }
    this.#process = child;
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    child.kill("SIGCONT");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exit;
    clearTimeout(timer);
  }
}

function configLines(options: RedisOptions, folder: string, port: number): string[] {
  const lines = ["bind 127.0.0.1", `dir ${folder}`, "daemonize no"];
  if (options.sentinel !== true) {
    lines.push('save ""', `appendonly ${options.appendOnly === true ? "yes" : "no"}`);
  }
  if (options.tls === true) {
    lines.push(
      "port 0",
      `tls-port ${port}`,
      `tls-cert-file ${join(folder, "server.crt")}`,
      `tls-key-file ${join(folder, "server.key")}`,
      "tls-auth-clients no",
    );
  } else {
    lines.push(`port ${port}`);
  }
  if (options.password !== undefined) lines.push(`requirepass ${JSON.stringify(options.password)}`);
  return [...lines, ...(options.config ?? [])];
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A self-signed certificate that is its own authority; answers it as PEM. */
async function makeCertificate(folder: string): Promise<string> {
  const certificate = join(folder, "server.crt");
  try {
    const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    const names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1";
    const files = ["-keyout", join(folder, "server.key"), "-out", certificate];
    await run("openssl", [...request.split(" "), ...names.split(" "), ...files]);
  } catch (error) {
    throw new Error("a test of TLS needs the program openssl to make a certificate", {
      cause: error,
    });
  }
  return readFile(certificate, "utf8");
}

let program: Promise<string> | undefined;

/** Rejects when there is none: a test that needs Redis fails, it is never passed over. */
export function redisServerProgram(): Promise<string> {
  program ??= findProgram();
  return program;
}

async function findProgram(): Promise<string> {
  const named = process.env["OMNIA_REDIS_SERVER"];
  if (named !== undefined && named !== "") {
    if (await isExecutable(named)) return named;
    throw new Error(`OMNIA_REDIS_SERVER names ${named}, which is not a program that can be run`);
  }
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const candidate = join(folder, "redis-server");
    if (folder !== "" && (await isExecutable(candidate))) return candidate;
  }
  return await installed([join(import.meta.dirname, "redis-install")]);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
