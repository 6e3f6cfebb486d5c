/** An MCP server of the older era, over streamable HTTP, whose answers a test writes: also answers that no well-behaved server gives. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { startHttpServer, type HttpServer } from "../processes/http-server.ts";

export interface RpcMessage {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface ScriptedMcpServer extends HttpServer {
  /** How often a client began a session. */
  readonly sessions: number;
  readonly received: readonly (RpcMessage & { headers: IncomingMessage["headers"] })[];
  /** The calls of tools among them. */
  readonly calls: readonly unknown[];
  /** Forgets all sessions, as a server does that was started again. */
  forgetSessions(): void;
  /** Sends a message to every client that listens. Resolves once one does. */
  notify(message: object): Promise<void>;
}

export interface McpScript {
  /** May change between two lists. */
  tools?: () => readonly unknown[];
  /** The result of a call. A response that was answered here is left alone. */
  call?: (
    params: { name: string; arguments: Record<string, unknown> },
    response: ServerResponse,
    id: RpcMessage["id"],
  ) => unknown;
  /** Answers the request in place of the server. */
  instead?: (message: RpcMessage, response: ServerResponse) => boolean | Promise<boolean>;
  unknownSessionStatus?: number;
}

export const ADD = {
  name: "add",
  description: "Adds two numbers",
  inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
};

export async function startScriptedMcpServer({
  tools = () => [ADD],
  call = () => ({ content: [{ type: "text", text: "3" }] }),
  instead = () => false,
  unknownSessionStatus = 404,
}: McpScript = {}): Promise<ScriptedMcpServer> {
  const received: (RpcMessage & { headers: IncomingMessage["headers"] })[] = [];
  const open = new Set<string>();
  const streams = new Set<ServerResponse>();
  let sessions = 0;
  let onStream = Promise.withResolvers<void>();
  const http = await startHttpServer(async (request, response) => {
    const session = String(request.headers["mcp-session-id"] ?? "");
    if (request.method === "GET") {
      if (!open.has(session)) return void response.writeHead(405).end();
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      streams.add(response);
      onStream.resolve();
      request.once("close", () => streams.delete(response));
      return;
    }
    const message = (await json(request)) as RpcMessage;
    received.push({ ...message, headers: request.headers });
    if (await instead(message, response)) return;
    const answer = (result: unknown, headers: Record<string, string> = {}): void => {
      if (response.writableEnded || response.headersSent || result === undefined) return;
      response.writeHead(200, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, result }));
    };
    if (message.method === "initialize") {
      sessions += 1;
      const id = `session-${sessions}`;
      open.add(id);
      const capabilities = { tools: { listChanged: true } };
      const serverInfo = { name: "scripted", version: "1" };
      const result = { protocolVersion: "2025-06-18", capabilities, serverInfo };
      return answer(result, { "mcp-session-id": id });
    }
    if (!open.has(session)) {
      const status = session === "" ? 400 : unknownSessionStatus;
      return void response.writeHead(status).end("No valid session ID provided");
    }
    if (message.id === undefined) return void response.writeHead(202).end();
    if (message.method === "tools/list") return answer({ tools: tools() });
    const params = message.params as { name: string; arguments: Record<string, unknown> };
    return answer(await call(params, response, message.id));
  });
  return {
    ...http,
    received,
    get sessions() {
      return sessions;
    },
    get calls() {
      return received.filter(({ method }) => method === "tools/call").map(({ params }) => params);
    },
    forgetSessions: () => open.clear(),
    async notify(message) {
      await onStream.promise;
      onStream = Promise.withResolvers();
      onStream.resolve();
      const data = JSON.stringify({ jsonrpc: "2.0", ...message });
      for (const stream of streams) stream.write(`event: message\ndata: ${data}\n\n`);
    },
  };
}
