/** MCP servers that others have made, each a process on a free port of loopback. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const INSTALL_TIMEOUT_MS = 110_000;
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
  const folder = await installation();
  return {
    everything: [process.execPath, everythingIn(folder), "stdio"],
    time: [join(folder, "bin/python"), "-m", "mcp_server_time"],
  };
}

export async function startMcpServer(kind: McpServerKind): Promise<McpServerProcess> {
  const folder = await installation();
  const port = await freePort();
  const commands: Record<McpServerKind, string[]> = {
    "everything-http": [process.execPath, everythingIn(folder), "streamableHttp"],
    "everything-sse": [process.execPath, everythingIn(folder), "sse"],
    "python-http": [
      join(folder, "bin/python"),
      join(import.meta.dirname, "server.py"),
      String(port),
    ],
  };
  const server = new RunningServer(commands[kind], port, kind === "everything-sse" ? "sse" : "mcp");
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

function everythingIn(folder: string): string {
  return join(folder, "node_modules/@modelcontextprotocol/server-everything/dist/index.js");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Rejects when it cannot be made: a test that needs it fails, it is never passed over. */
async function installation(): Promise<string> {
  const installer = join(import.meta.dirname, "mcp-servers-install");
  try {
    const { stdout, stderr } = await run("bash", [installer], { timeout: INSTALL_TIMEOUT_MS });
    process.stderr.write(stderr);
    return stdout.trim();
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? "";
    throw new Error(`these tests need MCP servers of others, and there are none:\n${output}`, {
      cause: error,
    });
  }
}
