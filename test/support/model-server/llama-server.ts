/**
 * A real model server of a test's own: llama.cpp's HTTP server on a free port of loopback, with a tiny model whose answers are
 * scripted (make-tiny-model.py). It speaks OpenAI's chat completions and Responses, and Anthropic's messages.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const START_TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 110_000;
export interface LlamaServerOptions {
  /** What a conversation may have with its answer. A character is about a token for this model. */
  contextTokens?: number | undefined;
}

export interface LlamaServer extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly key: string;
  /** Starts again after `kill`, on the same port. */
  start(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** How many answers it makes at this moment. */
  busySlots(): Promise<number>;
}

export async function startLlamaServer({
  contextTokens = 8_192,
}: LlamaServerOptions = {}): Promise<LlamaServer> {
  const server = new RunningLlama(await installation(), contextTokens);
  await server.start();
  return server;
}

class RunningLlama implements LlamaServer {
  readonly key = "tiny-key";
  readonly #folder: string;
  readonly #contextTokens: number;
  #url = "http://127.0.0.1:0";
  #process: ChildProcess | undefined;

  constructor(folder: string, contextTokens: number) {
    this.#folder = folder;
    this.#contextTokens = contextTokens;
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    const program = join(this.#folder, "bin/python");
    const files = [join(this.#folder, "serve.py"), join(this.#folder, "tiny.gguf")];
    const settings = [new URL(this.#url).port, this.key, String(this.#contextTokens)];
    const child = spawn(program, [...files, ...settings], { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    const listening = Promise.withResolvers<string>();
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8_192);
      const url = /listening on (http:\/\/[\d.]+:\d+)\n/.exec(output)?.[1];
      if (url !== undefined) listening.resolve(url);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (error) => listening.reject(error));
    child.once("exit", (code, signal) => {
      listening.reject(
        new Error(`the model server ended (${signal ?? code}) at its start:\n${output}`),
      );
    });
    const timer = setTimeout(() => {
      listening.reject(new Error(`the model server was not ready in time:\n${output}`));
      child.kill("SIGKILL");
    }, START_TIMEOUT_MS);
    try {
      this.#url = await listening.promise;
    } finally {
      clearTimeout(timer);
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

  async busySlots(): Promise<number> {
    const response = await fetch(`${this.#url}/slots`, {
      headers: { authorization: `Bearer ${this.key}` },
    });
    const slots = (await response.json()) as { is_processing: boolean }[];
    return slots.filter(({ is_processing }) => is_processing).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** The folder with the server and its model. Rejects when it cannot be made: a test that needs it fails, it is never passed over. */
async function installation(): Promise<string> {
  const installer = join(import.meta.dirname, "model-server-install");
  try {
    const { stdout, stderr } = await run("bash", [installer], { timeout: INSTALL_TIMEOUT_MS });
    process.stderr.write(stderr);
    return stdout.trim();
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? "";
    throw new Error(`these tests need llama.cpp's model server, and there is none:\n${output}`, {
      cause: error,
    });
  }
}
