import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { createAgentMetrics } from "../contracts/agent-metrics.ts";
import { createMetrics } from "../../observability/metrics.ts";
import { encodeTextFrame } from "../../protocol/text-frame.ts";
import { DEFAULT_LIMITS } from "../contracts/limits.ts";
import { Outbox } from "./outbox.ts";

describe("Outbox", () => {
  it("holds nobody up any more for a client that it gave up, though its socket is still open", async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const connected = once(server, "connection");
    const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    await once(client, "open");
    client.pause();
    const [socket, request] = (await connected) as [WebSocket, IncomingMessage];
    onTestFinished(() => {
      client.terminate();
      socket.terminate();
      http.close();
    });

    const clock = new ManualClock();
    const metrics = createAgentMetrics(createMetrics({ processMetrics: false }), {
      connectionsActive: () => 0,
      sessionsActive: () => 0,
      requestsInflight: () => 0,
    });
    const context = { clock, metrics, limits: () => DEFAULT_LIMITS };
    const outbox = new Outbox(socket, request.socket, context, {
      onStuck: () => socket.close(1013),
    });
    const piece = encodeTextFrame("x".repeat(1024 * 1024));
    for (let count = 0; count < 32; count++) outbox.send(piece);
    const room = outbox.whenWritable();
    expect(room).toBeDefined();

    await clock.advance(DEFAULT_LIMITS.maxUnsentMs);
    await room;
    outbox.send(piece);
    expect(outbox.whenWritable()).toBeUndefined();
    expect(socket.readyState).toBe(socket.CLOSING);
  });
});
