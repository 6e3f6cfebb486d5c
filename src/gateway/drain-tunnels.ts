/** Ends the connections of a gateway that goes: one after the other, so that their clients do not all come to the others at once. */
import type { Clock } from "../time/clock.ts";
import type { Tunnel } from "./tunnel.ts";

/** How often it is looked at which connections can end. A connection is idle when nothing came from its agent between two looks. */
const LOOK_MS = 500;
/** Within this part of the grace every idle connection is told to go. */
const SPREAD = 0.7;
/** Connections that are ended in a second, unless the grace is too short for that. */
const ENDED_PER_SECOND = 50;
const GOING_AWAY = 1001;
const REASON = "the gateway is shutting down";

/**
 * Settles when no connection is left, or the grace is over: then those that are left are told to go as well, idle or not, at the end
 * of the frame that is under way. A client that resumes misses nothing.
 */
export async function drainTunnels(
  tunnels: ReadonlyMap<Tunnel, unknown>,
  { graceMs, clock, signal }: { graceMs: number; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const perSecond = Math.max(ENDED_PER_SECOND, tunnels.size / ((graceMs * SPREAD) / 1_000));
  const begun = clock.monotonic();
  for (const tunnel of tunnels.keys()) tunnel.takeQuiet();
  let told = 0;
  while (tunnels.size > 0 && !signal.aborted) {
    const elapsedMs = clock.monotonic() - begun;
    if (elapsedMs >= graceMs) break;
    await clock.sleep(Math.min(LOOK_MS, graceMs - elapsedMs), signal).catch(() => {});
    const due = ((clock.monotonic() - begun) / 1_000) * perSecond;
    for (const tunnel of tunnels.keys()) {
      if (told >= due) break;
      if (tunnel.isEnding || !tunnel.takeQuiet()) continue;
      tunnel.close(GOING_AWAY, REASON);
      told += 1;
    }
  }
  for (const tunnel of tunnels.keys()) tunnel.close(GOING_AWAY, REASON);
}
