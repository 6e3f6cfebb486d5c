import type { Server } from "node:http";
import type { Socket } from "node:net";

interface Held {
  readonly address: string;
  /** The number of requests on it that are being answered. */
  requests: number;
}

/**
 * Keeps a server at `most` connections by closing one when another comes in, so that a newcomer is never refused. The one that is
 * closed belongs to the address that holds most of them. It is the one that has been without a request for the longest time, and
 * only if that address has a request on each of its connections the one that was used longest ago.
 */
export function limitConnections(server: Server, most: number): void {
  /** The one that came or was used last is at the end. */
  const held = new Map<Socket, Held>();

  server.on("connection", (socket: Socket) => {
    socket.once("close", () => held.delete(socket));
    const victim = held.size < most ? undefined : nextVictim(held);
    held.set(socket, { address: socket.remoteAddress ?? "", requests: 0 });
    if (victim === undefined) return;
    held.delete(victim);
    victim.destroy();
  });

  server.on("request", ({ socket }, response) => {
    const connection = held.get(socket);
    if (connection === undefined) return;
    connection.requests += 1;
    response.once("close", () => {
      connection.requests -= 1;
      if (held.delete(socket)) held.set(socket, connection);
    });
  });
}

function nextVictim(held: ReadonlyMap<Socket, Held>): Socket | undefined {
  const counts = new Map<string, number>();
  for (const { address } of held.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
  const largest = Math.max(...counts.values());
  let oldest: Socket | undefined;
  for (const [socket, { address, requests }] of held) {
    if (counts.get(address) !== largest) continue;
    if (requests === 0) return socket;
    oldest ??= socket;
  }
  return oldest;
}
