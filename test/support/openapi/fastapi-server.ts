/** A real server with an OpenAPI document of its own: a shop on FastAPI (serve.py), on a free port of the loopback. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { installed, pythonFor } from "../processes/installed.ts";

const START_TIMEOUT_MS = 60_000;

export interface FastAPIServer extends AsyncDisposable {
  /** Without a path. Its document is at `/openapi.json`. */
  readonly url: string;
}

export async function startFastAPI(): Promise<FastAPIServer> {
  const folder = await pythonFor(import.meta.dirname);
  const files = [join(import.meta.dirname, "serve.py"), "0"];
  const child = spawn(join(folder, "bin/python"), files, { stdio: ["ignore", "pipe", "pipe"] });
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
  child.once("exit", (code) => {
    listening.reject(new Error(`FastAPI ended (${code}) at its start:\n${output}`));
  });
  const timer = setTimeout(() => {
    listening.reject(new Error(`FastAPI was not ready in time:\n${output}`));
    child.kill("SIGKILL");
  }, START_TIMEOUT_MS);
  const url = await listening.promise.finally(() => clearTimeout(timer));
  await answers(url);
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

/** The path of GitHub's document. */
export function githubDocument(): Promise<string> {
  return installed([join(import.meta.dirname, "github-document-install")]);
}

/** The socket listens before the server serves, and takes connections until then. */
async function answers(url: string): Promise<void> {
  await fetch(`${url}/openapi.json`);
}
