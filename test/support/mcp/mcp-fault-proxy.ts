/** A proxy before an MCP server, which answers calls of tools, or all requests, as no well-behaved server does. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { startHttpServer, type HttpServer } from "../processes/http-server.ts";

const EVENTS = { "content-type": "text/event-stream" };
const JSON_TYPE = { "content-type": "application/json" };
/** What stands in the bodies of faults, and nowhere else. */
export const FAULT_BODY = "body-of-the-proxy-at-10.9.8.7";

type Fault = (response: ServerResponse) => void;

export const MCP_FAULTS = {
  "HTTP 404": (response) => response.writeHead(404).end(FAULT_BODY),
  HTML: (response) =>
    response.writeHead(200, { "content-type": "text/html" }).end(`<p>${FAULT_BODY}</p>`),
  "half JSON": (response) => response.writeHead(200, JSON_TYPE).end(`{"result":"${FAULT_BODY}`),
  "half JSON in an event": (response) =>
    response.writeHead(200, EVENTS).end(`event: message\ndata: {"result":"${FAULT_BODY}\n\n`),
  "an empty stream": (response) => response.writeHead(200, EVENTS).end(),
  "HTTP 202": (response) => response.writeHead(202).end(),
  "a wrong id": (response) =>
    response
      .writeHead(200, JSON_TYPE)
      .end(`{"jsonrpc":"2.0","id":98765,"result":{"text":"${FAULT_BODY}"}}`),
  "a redirect": (response) =>
    response.writeHead(307, { location: "http://169.254.169.254/latest" }).end(FAULT_BODY),
  "HTTP 500": (response) => response.writeHead(500).end(FAULT_BODY),
  "a broken connection": (response) => response.destroy(),
  "10 MB": (response) => {
    response.writeHead(200, JSON_TYPE);
    sendMuch(response, '{"jsonrpc":"2.0","id":1,"result":{"text":"');
  },
  "10 MB in an event": (response) => {
    response.writeHead(200, EVENTS);
    sendMuch(response, 'data: {"text":"');
  },
} as const satisfies Record<string, Fault>;

/** In pieces, so that what a test measures is the memory of who reads it. */
function sendMuch(response: ServerResponse, beginning: string): void {
  const piece = Buffer.alloc(50_000, "x");
  response.write(beginning);
  const much = Readable.from(Array.from({ length: 200 }, () => piece));
  pipeline(much, response, () => {});
}

export type McpFault = keyof typeof MCP_FAULTS | "10 s late";

export interface McpFaultProxy extends HttpServer {
  /** The fault that calls of tools meet from now on. `undefined`: none. */
  fault: McpFault | undefined;
  /** Whether all requests meet it. */
  isEverywhere: boolean;
}

const LATE_MS = 10_000;

export async function startMcpFaultProxy(target: string): Promise<McpFaultProxy> {
  const state: { fault: McpFault | undefined; isEverywhere: boolean } = {
    fault: undefined,
    isEverywhere: false,
  };
  const http = await startHttpServer(async (request, response) => {
    const body = await buffer(request);
    const { fault } = state;
    const isMet = state.isEverywhere || body.includes('"method":"tools/call"');
    if (fault === undefined || !isMet) return pass(request, response, body);
    if (fault !== "10 s late") {
      MCP_FAULTS[fault](response);
      return;
    }
    const timer = setTimeout(() => pass(request, response, body), LATE_MS);
    response.once("close", () => clearTimeout(timer));
  });

  function pass(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const upstream = httpRequest(
      new URL(request.url ?? "", target),
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        answer.on("error", () => response.destroy());
      },
    );
    upstream.on("error", () => response.destroy());
    response.once("close", () => upstream.destroy());
    upstream.end(body);
  }

  return Object.assign(state, http);
}
