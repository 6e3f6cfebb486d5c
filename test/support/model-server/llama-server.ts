/**
 * A real model server of a test's own: llama.cpp's HTTP server on a free port of loopback, with a tiny model whose answers are
 * scripted (make-tiny-model.py). It speaks OpenAI's chat completions and Responses, and Anthropic's messages.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { pythonFor } from "../processes/installed.ts";

const START_TIMEOUT_MS = 60_000;
const MODEL = "tiny.gguf";

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
  const python = join(await pythonFor(import.meta.dirname), "bin/python");
  const folder = await mkdtemp(join(tmpdir(), "omnia-model-"));
  const model = await readFile(join(import.meta.dirname, "tiny.gguf.gz"));
  await writeFile(join(folder, MODEL), gunzipSync(model));
  const server = new RunningLlama(python, { folder, contextTokens });
  await server.start();
  return server;
}

class RunningLlama implements LlamaServer {
  readonly key = "tiny-key";
  readonly #python: string;
  readonly #folder: string;
  readonly #contextTokens: number;
  #url = "http://127.0.0.1:0";
  #process: ChildProcess | undefined;

  constructor(
    python: string,
    { folder, contextTokens }: { folder: string; contextTokens: number },
  ) {
    this.#python = python;
    this.#folder = folder;
    this.#contextTokens = contextTokens;
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    const files = [join(import.meta.dirname, "serve.py"), join(this.#folder, MODEL)];
    const settings = [new URL(this.#url).port, this.key, String(this.#contextTokens)];
    const child = spawn(this.#python, [...files, ...settings], { stdio: ["pipe", "pipe", "pipe"] });
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
    await rm(this.#folder, { recursive: true, force: true });
  }
}
