/**
 * Stands before a test's API server, with its own certificate, and does to requests what networks and busy servers do: cuts
 * them, delays them, answers in the server's place. What it does is told it request by request.
 */
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as send, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { KubeAPIServer } from "./kube-api-server.ts";

export interface ProxiedRequest {
  readonly method: string;
  readonly url: URL;
  readonly isWatch: boolean;
  /** Milliseconds of performance.now(). */
  readonly at: number;
  /** What was answered, by whomever; absent while there is no answer, and for one that was cut. */
  status?: number;
}

export type Fault =
  /** Answered in the server's place, which never sees it. */
  | { answer: number; reason?: string; retryAfterSeconds?: number }
  /** `unsent`: the server never sees it. `unanswered`: the server carries it out, and its answer is lost. */
  | { cut: "unsent" | "unanswered" }
  | { delayMs: number };

/** Asked of each request as it comes; `undefined` lets it through. */
export type FaultRule = (request: ProxiedRequest) => Fault | undefined;

/** Every n-th of the requests that a rule would hit. */
export function everyNth(n: number, rule: FaultRule): FaultRule {
  let count = 0;
  return (request) => {
    const fault = rule(request);
    return fault !== undefined && ++count % n === 0 ? fault : undefined;
  };
}

export class APIFaultProxy {
  /** Every request, in order. */
  readonly requests: ProxiedRequest[] = [];
  readonly #upstream: URL;
  readonly #agent: Agent;
  readonly #server: Server;
  readonly #rules = new Set<FaultRule>();
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<ServerResponse>();
  #port = 0;

  private constructor({ url, ca, key }: Pick<KubeAPIServer, "url" | "ca" | "key">) {
    this.#upstream = new URL(url);
    this.#agent = new Agent({ ca, keepAlive: true });
    this.#server = createServer({ cert: ca, key }, (request, response) => {
      void this.#serve(request, response).catch(() => response.socket?.destroy());
    });
    // An API server keeps idle connections for long.
    this.#server.keepAliveTimeout = 0;
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(
    server: Pick<KubeAPIServer, "url" | "ca" | "key">,
    rule?: FaultRule,
  ): Promise<APIFaultProxy> {
    const proxy = new APIFaultProxy(server);
    if (rule !== undefined) proxy.inject(rule);
    await proxy.accept();
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Of a kubeconfig for the server, one that leads through this proxy: its path. */
  async kubeconfig(path: string): Promise<string> {
    const text = await readFile(path, "utf8");
    const through = `${path}-through-${this.#port}`;
    await writeFile(through, text.replaceAll(this.#upstream.origin, this.url), { mode: 0o600 });
    return through;
  }

  /** The fault of the first rule that has one befalls a request. Returns the end of the rule. */
  inject(rule: FaultRule): () => void {
    this.#rules.add(rule);
    return () => this.#rules.delete(rule);
  }

  /** Breaks every watch that is open. Returns how many there were. */
  cutWatches(): number {
    const watches = [...this.#watches];
    for (const response of watches) response.socket?.destroy();
    return watches.length;
  }

  /** Breaks every connection and lets no new one come, as when the server were gone. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Lets connections come again. */
  async accept(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.refuse();
    this.#agent.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.#upstream);
    const proxied: ProxiedRequest = {
      method: request.method ?? "",
      url,
      isWatch: url.searchParams.get("watch") === "true",
      at: performance.now(),
    };
    this.requests.push(proxied);
    const body: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) body.push(chunk);
    const fault = this.#faultOf(proxied);
    if (fault !== undefined && "delayMs" in fault) {
      await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    }
    if (fault !== undefined && "answer" in fault) {
      proxied.status = fault.answer;
      return refuseWith(response, fault);
    }
    const isCut = fault !== undefined && "cut" in fault;
    if (isCut && fault.cut === "unsent") {
      response.socket?.destroy();
      return;
    }

    const passedOn = send(url, {
      agent: this.#agent,
      method: proxied.method,
      headers: { ...request.headers, host: this.#upstream.host },
    });
    passedOn.on("error", () => response.socket?.destroy());
    response.once("close", () => passedOn.destroy());
    passedOn.end(Buffer.concat(body));
    const [answer] = (await once(passedOn, "response")) as [IncomingMessage];
    if (isCut) {
      response.socket?.destroy();
      return;
    }
    proxied.status = answer.statusCode ?? 0;
    response.writeHead(proxied.status, answer.headers);
    response.flushHeaders();
    if (proxied.isWatch) {
      this.#watches.add(response);
      response.once("close", () => this.#watches.delete(response));
    }
    answer.once("error", () => response.socket?.destroy());
    answer.pipe(response);
  }

  #faultOf(request: ProxiedRequest): Fault | undefined {
    for (const rule of this.#rules) {
      const fault = rule(request);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

function refuseWith(
  response: ServerResponse,
  { answer, reason = "", retryAfterSeconds }: Extract<Fault, { answer: number }>,
): void {
  const headers = {
    "content-type": "application/json",
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  };
  const status = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    reason,
    code: answer,
    message: `answered ${answer} by the proxy of the test`,
  };
  response.writeHead(answer, headers).end(JSON.stringify(status));
}
