/** What a promise of time is worth on a machine that has other things to do. */
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/**
 * The time within which something that promises to take up to `ms` has to be done here and now: longer by as much as processes
 * have to wait for a processor. On a machine that is free it is `ms`.
 */
export function timeFor(ms: number): number {
  const load = (loadavg()[0] ?? 0) / availableParallelism();
  return ms * Math.max(1, load, ownWait());
}

/** How many times as long as it ran this process took, because it had to wait. The load is an average, and tells it later. */
function ownWait(): number {
  try {
    const [ran = 0, waited = 0] = readFileSync("/proc/self/schedstat", "utf8")
      .split(" ")
      .map(Number);
    return ran === 0 ? 1 : (ran + waited) / ran;
  } catch {
    // Only Linux tells it.
    return 1;
  }
}
