import type { Writable } from "node:stream";
import { atEndOfLoop, loopCount } from "../../time/loop-count.ts";

/** The last round of the event loop in which something was written. */
let lastRound = -1;
let held: Writable[] = [];

/**
 * To be called before a write to a client. The first write of a round of the event loop leaves at once. Those that follow in the
 * same round leave together at its end: what one client is sent is one write then, and all clients are written to without other work
 * in between. A client on the same machine is so woken up once and not for each of its connections, which is a tenth of an echo turn.
 */
export function joinWrites(stream: Writable): void {
  if (stream.writableCorked > 0) return;
  const round = loopCount();
  if (round !== lastRound) {
    lastRound = round;
    return;
  }
  stream.cork();
  if (held.push(stream) === 1) atEndOfLoop(release);
}

function release(): void {
  const streams = held;
  held = [];
  for (const stream of streams) stream.uncork();
}
