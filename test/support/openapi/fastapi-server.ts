/** A real server with an OpenAPI document of its own: a shop on FastAPI (serve.py), on a free port of the loopback. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 110_000;

export interface FastAPIServer extends AsyncDisposable {
  /** Without a path. Its document is at `/openapi.json`. */
  readonly url: string;
}

export async function startFastAPI(): Promise<FastAPIServer> {
  const folder = await installed("fastapi-install");
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
  return installed("github-document-install");
}

/** The socket listens before the server serves, and takes connections until then. */
async function answers(url: string): Promise<void> {
  await fetch(`${url}/openapi.json`);
}

/** What an installer prints. Rejects when it fails: a test that needs it fails, it is never passed over. */
async function installed(installer: string): Promise<string> {
  try {
    const path = join(import.meta.dirname, installer);
    const { stdout, stderr } = await run("bash", [path], { timeout: INSTALL_TIMEOUT_MS });
    process.stderr.write(stderr);
    return stdout.trim();
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? "";
    throw new Error(`these tests need what ${installer} fetches, and it failed:\n${output}`, {
      cause: error,
    });
  }
}
