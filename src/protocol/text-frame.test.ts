import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { encodeTextFrame } from "./text-frame.ts";

/** The lengths, in bytes, at which the header of a frame changes, and those beside them. */
const LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000];

/** What a client of another make reads. */
async function readBack(frames: readonly Buffer[]): Promise<string[]> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const texts: string[] = [];
  client.on("message", (data: Buffer, isBinary) => texts.push(isBinary ? "" : data.toString()));
  const [, request] = (await once(server, "connection")) as [WebSocket, { socket: Socket }];
  for (const frame of frames) request.socket.write(frame);
  request.socket.end();
  await once(client, "close");
  server.close();
  return texts;
}

describe("the frame of a text", () => {
  it("is read as the same text, whatever its length", async () => {
    const texts = LENGTHS.map((length) => "x".repeat(length));
    expect(await readBack(texts.map(encodeTextFrame))).toEqual(texts);
  });

  it("has the length of its bytes, not of its characters", async () => {
    const texts = ["ä".repeat(63), "€".repeat(42), "🙂".repeat(16_384), '{"a":"Grüße"}'];
    expect(await readBack(texts.map(encodeTextFrame))).toEqual(texts);
  });
});
