/** How the facade refuses a request: an answer over plain HTTP with a code and a message. */
import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { RETRY_AFTER_SECONDS } from "../contracts/limits.ts";

export interface FacadeRefusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 426 | 503;
  readonly code: string;
  readonly message: string;
}

export const NOT_FOUND: FacadeRefusal = {
  status: 404,
  code: "NotFound",
  message: "WebSocket connections are taken at / and /ws",
};

/** Answers a handshake on its raw socket, and ends it. */
export function refuseUpgrade(socket: Duplex, refusal: FacadeRefusal): void {
  const { status } = refusal;
  const body = bodyOf(refusal);
  const lines = Object.entries(headersOf(refusal, body)).map(
    ([name, value]) => `${name}: ${value}`,
  );
  // A client that does not close its side must not keep the socket open.
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("\r\n")}\r\n\r\n${body}`,
  );
  // The socket can only close when the client's remaining bytes are read; they are thrown away.
  socket.resume();
}

export function refuseRequest(response: ServerResponse, refusal: FacadeRefusal): void {
  const body = bodyOf(refusal);
  response.writeHead(refusal.status, headersOf(refusal, body));
  response.end(body);
}

function headersOf({ status }: FacadeRefusal, body: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
    ...(status === 426 ? { upgrade: "websocket", connection: "upgrade, close" } : {}),
    ...(status === 503 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {}),
  };
}

function bodyOf({ code, message }: FacadeRefusal): string {
  return `${JSON.stringify({ error: { code, message } })}\n`;
}
