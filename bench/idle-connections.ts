/** What an idle connection keeps in memory, and whether every one of many is pinged in time. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";

const CONNECTIONS = 10_000;
/** Handshakes at a time. */
const AT_ONCE = 100;
const TARGET_KILOBYTES = 12;
/** Two pings of each client, and time to miss one. */
const WATCH_MS = 65_000;
const PINGS = 2;
const HANDSHAKE =
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const PING = 0x89;
/** An empty pong, masked with zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

interface IdleClient {
  readonly socket: Socket;
  pings: number;
}

export async function measureIdleConnections(): Promise<Measurement[]> {
  await using agent = await MeasuredProcess.startAgent({ handler: "echo" });
  // What is made once, for the first connections, is no cost of each.
  for (const { socket } of await connectMany(agent.port, 1_000)) socket.destroy();
  await delay(5_000);
  const before = await agent.residentMegabytes();
  const started = performance.now();
  const clients = await connectMany(agent.port, CONNECTIONS);
  const seconds = (performance.now() - started) / 1_000;
  const cpuBefore = await agent.cpuSeconds();
  await delay(WATCH_MS);
  const cpu = ((await agent.cpuSeconds()) - cpuBefore) / (WATCH_MS / 1_000);
  const after = await agent.residentMegabytes();
  const kept = clients.filter(({ socket, pings }) => !socket.closed && pings >= PINGS).length;
  for (const { socket } of clients) socket.destroy();
  const kilobytes = ((after - before) * 1_024) / CONNECTIONS;
  return [
    {
      what: `Resident memory of one of ${CONNECTIONS} idle connections`,
      measured: `${after.toFixed(1)} MB`,
      floor: `${before.toFixed(1)} MB (none)`,
      result: `${kilobytes.toFixed(1)} KB`,
      target: `< ${TARGET_KILOBYTES} KB`,
      withinTarget: kilobytes < TARGET_KILOBYTES,
    },
    {
      what: "Idle connections that were pinged in time, and kept",
      measured: `${kept}, at ${(cpu * 100).toFixed(1)} % of a core`,
      floor: `${CONNECTIONS}, made in ${seconds.toFixed(1)} s`,
      result: `${CONNECTIONS - kept} missed`,
      target: "0 missed",
      withinTarget: kept === CONNECTIONS,
    },
  ];
}

async function connectMany(port: number, count: number): Promise<IdleClient[]> {
  const clients: IdleClient[] = [];
  while (clients.length < count) {
    const batch = Math.min(AT_ONCE, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batch }, () => connectOne(port)))));
  }
  return clients;
}

/** Does as little as a client can: it answers pings, and settles when the agent has greeted. */
async function connectOne(port: number): Promise<IdleClient> {
  const socket = connect(port, "127.0.0.1");
  const client = { socket, pings: 0 };
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(HANDSHAKE);
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
