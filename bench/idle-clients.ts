/** Many clients that do nothing but answer pings. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Handshakes at a time. */
const AT_ONCE = 100;
const HANDSHAKE =
  " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const PING = 0x89;
/** An empty pong, masked with zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

export interface IdleClient {
  readonly socket: Socket;
  pings: number;
}

export async function connectMany(
  port: number,
  count: number,
  target = "/",
): Promise<IdleClient[]> {
  const clients: IdleClient[] = [];
  while (clients.length < count) {
    const batch = Math.min(AT_ONCE, count - clients.length);
    clients.push(
      ...(await Promise.all(Array.from({ length: batch }, () => connectOne(port, target)))),
    );
  }
  return clients;
}

/** Does as little as a client can: it answers pings, and settles when the agent has greeted. */
async function connectOne(port: number, target: string): Promise<IdleClient> {
  const socket = connect(port, "127.0.0.1");
  const client = { socket, pings: 0 };
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`GET ${target}${HANDSHAKE}`);
  let greeting = "";
  while (!greeting.includes("}")) {
    const [data] = (await once(socket, "data")) as [Buffer];
    greeting += data.toString("latin1");
  }
  socket.on("data", (data: Buffer) => {
    if (data[0] !== PING) return;
    client.pings += 1;
    socket.write(PONG);
  });
  return client;
}
