/**
 * The console of a cluster at a port of this machine. It leads to the gateway, and puts the token of the cluster into what a page asks that
 * was opened by the person at the terminal. It listens on the loopback alone.
 */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, type Duplex } from "node:stream";
import { ApiProblem, problemResponse } from "../../../gateway/api/requests/api-problem.ts";
import { hostOfRequest } from "../../../gateway/host-rule.ts";
import { SIGN_IN_PATH } from "../../../http-api/paths.ts";
import { isLoopback } from "../../../protocol/origin.ts";
import { answerSignIn } from "./answer-sign-in.ts";
import { ForwardAgent } from "./forward-agent.ts";
import { forwardedHeaders, isOfConnection, proofOf } from "./forwarded-headers.ts";
import type { SignIns } from "./sign-ins.ts";

/** A page has a stream of changes, a connection for a chat and six more for what it asks. These are some pages. */
export const MAX_CONNECTIONS = 128;

export interface ForwardedConsoleOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Connects to the gateway. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  /** The token of the cluster, asked for with each request, because it may change. */
  readonly token: (signal: AbortSignal) => Promise<string | undefined>;
  readonly signIns: SignIns;
  /** Somebody came with a code that does not count. */
  readonly onRefusedCode: () => void;
}

export interface ForwardedConsole extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
}

/** Rejects as `listen` does when the port cannot be had. */
export async function startForwardedConsole({
  port,
  connect,
  token,
  signIns,
  onRefusedCode,
}: ForwardedConsoleOptions): Promise<ForwardedConsole> {
  const ending = new AbortController();
  const connectHere = async (): Promise<Duplex> => await connect(ending.signal);
  const kept = new ForwardAgent(connectHere, { keepAlive: true });
  const single = new ForwardAgent(connectHere, { keepAlive: false });

  const headersFor = async ({ headers }: IncomingMessage) => {
    const proof = proofOf(headers);
    const isSignedIn = proof !== undefined && signIns.isKey(proof);
    return forwardedHeaders(headers, isSignedIn ? await token(ending.signal) : undefined);
  };

  function forward(
    request: IncomingMessage,
    response: ServerResponse,
    headers: OutgoingHttpHeaders,
  ): void {
    const { method = "GET", url = "/" } = request;
    const isRead = method === "GET" || method === "HEAD";
    // A connection that waited may have been ended by the gateway meanwhile. A read can be sent again then, and another request cannot.
    const agent = isRead ? kept : single;
    const forwarded = httpRequest({ method, path: url, headers, agent });
    response.once("close", () => {
      if (!response.writableFinished) forwarded.destroy();
    });
    forwarded.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer));
      response.flushHeaders();
      pipeline(answer, response, () => {});
    });
    forwarded.on("error", (error) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else if (isRead && forwarded.reusedSocket) forward(request, response, headers);
      else void answer(response, problemResponse(unreachable(error)));
    });
    if (isRead) forwarded.end();
    else pipeline(request, forwarded, () => {});
  }

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isForLoopback(request)) throw foreignHost();
    if (request.url === SIGN_IN_PATH) {
      await answer(response, await answerSignIn(request, { signIns, onRefusedCode }));
    } else forward(request, response, await headersFor(request));
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (!isForLoopback(request)) throw foreignHost();
    const headers = { ...(await headersFor(request)), connection: "Upgrade", upgrade: "websocket" };
    const forwarded = httpRequest({ path: request.url, headers, agent: single });
    socket.once("close", () => forwarded.destroy());
    forwarded.once("upgrade", (answer, other, otherHead) => {
      socket.write(headOf(answer));
      socket.write(otherHead);
      other.write(head);
      pipeline(socket, other, () => socket.destroy());
      pipeline(other, socket, () => other.destroy());
    });
    forwarded.once("response", (answer) => {
      socket.write(headOf(answer));
      pipeline(answer, socket, () => socket.destroy());
    });
    forwarded.on("error", () => socket.destroy());
    forwarded.end();
  }

  const server = createServer((request, response) => {
    take(request, response).catch((error: unknown) =>
      answer(response, problemResponse(unreachable(error))),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    upgrade(request, socket, head).catch(() => socket.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      ending.abort();
      kept.destroy();
      single.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A page of another site can make its own name lead here, but not the name that it comes under. */
function isForLoopback(request: IncomingMessage): boolean {
  const host = hostOfRequest(request);
  return host !== undefined && isLoopback(host);
}

function foreignHost(): ApiProblem {
  return new ApiProblem("Forbidden", "this is reached as localhost alone");
}

function unreachable(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new ApiProblem("Unavailable", `the gateway of the cluster is out of reach: ${why}`);
}

async function answer(response: ServerResponse, said: Response): Promise<void> {
  if (response.headersSent) return;
  response.writeHead(said.status, {
    ...Object.fromEntries(said.headers),
    "cache-control": "no-store",
  });
  response.end(await said.text());
}

function endToEnd({ rawHeaders }: IncomingMessage): string[] {
  const headers: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (!isOfConnection(name)) headers.push(name, value);
  }
  return headers;
}

/** As it came, with what it says of its connection. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}
