import type { WebSocket } from "ws";
import type { Clock } from "../../observability/clock.ts";
import { PING_INTERVAL_MS, PONG_TIMEOUT_MS } from "../limits.ts";

/** Pings a client, and ends the connection of one that has not answered for too long. Answers how to stop. */
export function startHeartbeat(socket: WebSocket, clock: Clock, onSilent: () => void): () => void {
  let heardAt = clock.monotonic();
  socket.on("pong", () => {
    heardAt = clock.monotonic();
  });
  let timer = clock.setTimer(PING_INTERVAL_MS, beat);
  function beat(): void {
    // While nothing is read from the client its pongs cannot be heard either.
    if (socket.isPaused) heardAt = clock.monotonic();
    if (clock.monotonic() - heardAt >= PONG_TIMEOUT_MS) {
      onSilent();
      return;
    }
    socket.ping();
    timer = clock.setTimer(PING_INTERVAL_MS, beat);
  }
  return () => timer.cancel();
}
