/**
 * The floor for a stream: a `ws` server that asks the provider for each message with `fetch`, parses each event, and sends a frame
 * for each text in it. It keeps nothing, and limits nothing.
 */
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

const [, , url = ""] = process.argv;
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", () => void answer(socket));
});

async function answer(socket: WebSocket): Promise<void> {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer no-key" },
    body: JSON.stringify({ model: "m", stream: true, messages: [] }),
  });
  const decoder = new TextDecoder();
  let seq = 0;
  let unread = "";
  for await (const bytes of response.body ?? []) {
    unread += decoder.decode(bytes as Uint8Array, { stream: true });
    const events = unread.split("\n\n");
    unread = events.pop() ?? "";
    for (const event of events) {
      const data = event.slice("data: ".length);
      if (data === "[DONE]") continue;
      const { choices } = JSON.parse(data) as { choices: { delta: { content?: string } }[] };
      const content = choices[0]?.delta.content ?? "";
      if (content !== "") socket.send(JSON.stringify({ type: "chunk", seq: ++seq, content }));
    }
  }
  socket.send(JSON.stringify({ type: "done", seq: ++seq }));
}

server.on("listening", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
