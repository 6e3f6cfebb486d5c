/** The other end of MCP calls: a server of 50 tools that answers every call with the same small object, in a stream as most servers do. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

const TOOLS = Array.from({ length: 50 }, (_, index) => ({
  name: `tool-${index}`,
  description: "Tells the weather of a city",
  inputSchema: { type: "object", properties: { city: { type: "string" } } },
}));
const RESULTS: Readonly<Record<string, unknown>> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "bare", version: "1" },
  },
  "tools/list": { tools: TOOLS },
  "tools/call": {
    content: [{ type: "text", text: '{"degrees":21,"city":"Oslo"}' }],
    structuredContent: { degrees: 21, city: "Oslo" },
  },
};

const server = createServer((request, response) => void answer(request, response));
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") return void response.writeHead(405).end();
  const { id, method = "" } = (await json(request)) as { id?: number; method?: string };
  if (id === undefined) return void response.writeHead(202).end();
  const result = RESULTS[method];
  if (result === undefined) return void response.writeHead(400).end();
  response.writeHead(200, { "content-type": "text/event-stream", "mcp-session-id": "one" });
  response.end(`event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", id, result })}\n\n`);
}
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit());
