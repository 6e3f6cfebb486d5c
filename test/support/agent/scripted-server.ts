/** A server that says to a client of sessions what a test tells it to, and the client that is tried with it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer, type WebSocket as ServerSocket } from "ws";
import type { SessionClientOptions } from "../../../src/protocol/client/session-client-options.ts";
import { SessionClient } from "../../../src/protocol/client/session-client.ts";
import { webSocketTransport } from "../../../src/protocol/client/web-socket-transport.ts";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { numberedNames } from "../builders/numbered-names.ts";

export type Frame = Record<string, unknown>;
export type Script = (connection: Connection) => void | Promise<void>;

/** The server's side of one connection. It sends what the test tells it to, and waits for what the client sends. */
export class Connection {
  readonly #socket: ServerSocket;
  readonly #received: Frame[] = [];
  #waiting: ((frame: Frame) => void) | undefined;
  readonly url: URL;
  readonly protocols: string | undefined;

  constructor(socket: ServerSocket, url: URL, protocols: string | undefined) {
    this.#socket = socket;
    this.url = url;
    this.protocols = protocols;
    socket.on("message", (data) => {
      const frame = JSON.parse((data as Buffer).toString()) as Frame;
      if (this.#waiting === undefined) this.#received.push(frame);
      else this.#waiting(frame);
      this.#waiting = undefined;
    });
  }

  /** Sends frames, which belong to session s1 unless they name another. */
  say(...frames: Frame[]): void {
    for (const frame of frames) {
      const ofTurn = "seq" in frame && frame["type"] !== "connected" ? { turn_id: "t1" } : {};
      this.#socket.send(
        JSON.stringify({
          session_id: "s1",
          timestamp: "2026-01-01T00:00:00Z",
          ...ofTurn,
          ...frame,
        }),
      );
    }
  }

  async hear(): Promise<Frame> {
    return this.#received.shift() ?? new Promise((resolve) => (this.#waiting = resolve));
  }

  drop(): void {
    this.#socket.terminate();
  }

  close(code: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}

/** Runs one script for each connection, in order. */
export async function serve(...scripts: Script[]): Promise<URL> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    const connection = new Connection(
      socket,
      new URL(request.url ?? "/", "ws://localhost"),
      request.headers["sec-websocket-protocol"],
    );
    void scripts.shift()?.(connection);
  });
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return listen(server);
}

async function listen(server: Server): Promise<URL> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

export async function connect(
  url: URL,
  options: Partial<SessionClientOptions> = {},
): Promise<{ client: SessionClient; frames: ServerFrame[] }> {
  const frames: ServerFrame[] = [];
  const client = await SessionClient.connect(
    {
      url: url.href,
      transport: webSocketTransport(WebSocket),
      clock: systemClock,
      random: () => 0,
      newMessageId: () => messageIds.next(),
      onFrame: (frame) => frame !== undefined && frames.push(frame),
      ...options,
    },
    never,
  );
  onTestFinished(() => client.close());
  return { client, frames };
}

const messageIds = numberedNames("m");
export const seqs = (frames: ServerFrame[]) =>
  frames.flatMap((frame) => (frame.type !== "connected" && "seq" in frame ? [frame.seq] : []));
export const never = new AbortController().signal;
export const connected = { type: "connected", resumed: false, seq: 0 };
export const chunk = (seq: number, content: string): Frame => ({ type: "chunk", seq, content });
export const done = (seq: number, content: string, finish_reason = "stop"): Frame => ({
  type: "done",
  seq,
  content,
  finish_reason,
});
