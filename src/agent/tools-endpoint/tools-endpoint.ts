/**
 * Serves the registry's tools as MCP on the loopback, for runtimes that bind tools themselves. Each step of a turn has an
 * address of its own while it runs, by which a call is told to belong to that turn. All addresses hold a secret, so that no other
 * program of the machine calls the tools.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "../../observability/log.ts";
import {
  HEADERS_TIMEOUT_MS,
  MAX_TOOLS_ENDPOINT_BYTES,
  MAX_TOOLS_ENDPOINT_CONNECTIONS,
} from "../contracts/limits.ts";
import { replyTo, type BoundTools, type ToolForClients } from "./mcp-reply.ts";

const LOOPBACK = "127.0.0.1";
const PATH = /^\/mcp\/([\w-]+)$/;

export interface ToolsEndpointOptions {
  /** What is listed while no step runs. */
  readonly list: (signal: AbortSignal) => Promise<readonly ToolForClients[]>;
  /** Makes a secret that nobody guesses, of letters, digits, "-" and "_". */
  readonly newSecret: () => string;
  readonly log: Log;
}

export interface StepTools extends Disposable {
  readonly url: string;
}

export class ToolsEndpoint {
  readonly #options: ToolsEndpointOptions;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  /** Whoever knows it may call the tools in the name of the only turn that runs. */
  readonly secret: string;
  readonly #closing = new AbortController();
  /** The tools of the steps that run, by their secrets. */
  readonly #steps = new Map<string, BoundTools>();

  constructor(options: ToolsEndpointOptions) {
    this.#options = options;
    this.secret = options.newSecret();
    this.#server.maxConnections = MAX_TOOLS_ENDPOINT_CONNECTIONS;
    this.#server.headersTimeout = HEADERS_TIMEOUT_MS;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, LOOPBACK);
    await once(this.#server, "listening");
  }

  /** The address that stays the same. A call that comes here belongs to the step that runs, if there is just one. */
  get url(): string {
    return this.#urlOf(this.secret);
  }

  /** Serves the tools of a step until it is disposed of. */
  open(tools: BoundTools): StepTools {
    const secret = this.#options.newSecret();
    // A request may have come before the end of the step, and have been read after it.
    const call: BoundTools["call"] = (name, input) =>
      this.#steps.has(secret)
        ? tools.call(name, input)
        : Promise.resolve({ error: "not called: the step that the call belongs to has ended" });
    this.#steps.set(secret, { ...tools, call });
    return { url: this.#urlOf(secret), [Symbol.dispose]: () => void this.#steps.delete(secret) };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #urlOf(secret: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${LOOPBACK}:${port}/mcp/${secret}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const tools = this.#toolsAt(request.url ?? "");
      // A page of a browser sends its origin, and no runtime does.
      if (tools === undefined || request.headers.origin !== undefined) return end(response, 404);
      if (request.method !== "POST") {
        return end(response.setHeader("allow", "POST"), 405);
      }
      const body = await bodyOf(request);
      if (body === undefined) return end(response.setHeader("connection", "close"), 413);
      const reply = await replyTo(body, tools);
      return end(response, reply.status, reply.body);
    } catch (error) {
      this.#options.log.warn({ error }, "A request for tools could not be answered");
      end(response, 500);
    }
  }

  #toolsAt(url: string): BoundTools | undefined {
    const [, secret = ""] = PATH.exec(url) ?? [];
    return secret === this.secret ? this.#toolsOfAll() : this.#steps.get(secret);
  }

  #toolsOfAll(): BoundTools {
    const [only, ...others] = this.#steps.values();
    if (only !== undefined && others.length === 0) return only;
    const problem =
      only === undefined
        ? "not called: no turn is running"
        : "not called: several turns are running; use the address of forwardedProps.omnia.toolsMcpUrl, which says whose call it is";
    return {
      list: () => this.#options.list(this.#closing.signal),
      call: () => Promise.resolve({ error: problem }),
    };
  }
}

function end(response: ServerResponse, status: number, body?: object): void {
  if (response.headersSent) return void response.destroy();
  response.statusCode = status;
  if (body === undefined) return void response.end();
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

/** Undefined when it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_TOOLS_ENDPOINT_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
