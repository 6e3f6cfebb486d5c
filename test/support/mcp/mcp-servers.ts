/** MCP servers that others have made, each a process on a free port of loopback. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { nodePackagesFor, pythonFor } from "../processes/installed.ts";

const START_TIMEOUT_MS = 60_000;

export type McpServerKind = "everything-http" | "everything-sse" | "python-http";

export interface McpServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Starts again after `kill`, on the same port. */
  start(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

/** The commands of the servers that are spoken to over stdin and stdout. */
export async function stdioCommands(): Promise<Record<"everything" | "time", string[]>> {
  return {
    everything: [process.execPath, await everything(), "stdio"],
    time: [await python(), "-m", "mcp_server_time"],
  };
}

export async function startMcpServer(kind: McpServerKind): Promise<McpServerProcess> {
  const port = await freePort();
  const command = await commandOf(kind, port);
  const server = new RunningServer(command, port, kind === "everything-sse" ? "sse" : "mcp");
  await server.start();
  return server;
}

class RunningServer implements McpServerProcess {
  readonly url: string;
  readonly port: number;
  readonly #command: string[];
  #process: ChildProcess | undefined;

  constructor(command: string[], port: number, path: string) {
    this.#command = command;
    this.port = port;
    this.url = `http://127.0.0.1:${port}/${path}`;
  }

  async start(): Promise<void> {
    const [program = "", ...args] = this.#command;
    const env = { ...process.env, PORT: String(this.port) };
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let output = "";
    const read = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-8_192));
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    const until = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#listens())) {
      if (child.exitCode !== null || performance.now() > until) {
        throw new Error(`the MCP server did not start:\n${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  async #listens(): Promise<boolean> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/`);
      await response.body?.cancel();
      return true;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

async function commandOf(kind: McpServerKind, port: number): Promise<string[]> {
  switch (kind) {
    case "everything-http":
      return [process.execPath, await everything(), "streamableHttp"];
    case "everything-sse":
      return [process.execPath, await everything(), "sse"];
    case "python-http":
      return [await python(), join(import.meta.dirname, "server.py"), String(port)];
  }
}

async function everything(): Promise<string> {
  const folder = await nodePackagesFor(join(import.meta.dirname, "node"));
  return join(folder, "node_modules/@modelcontextprotocol/server-everything/dist/index.js");
}

async function python(): Promise<string> {
  return join(await pythonFor(import.meta.dirname), "bin/python");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
