import type { Clock } from "./clock.ts";

/** The result of `within` when the time is over before the work is done. */
export const LATE = Symbol("late");

/**
 * Waits for `work`, but no longer than `ms` milliseconds. Settles as `work` does, or with `LATE` when the time is over
 * first. The work then goes on unheeded: a rejection that comes too late is not reported as unhandled.
 */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  clock: Pick<Clock, "setTimer">,
): Promise<T | typeof LATE> {
  const late = Promise.withResolvers<typeof LATE>();
  const timer = clock.setTimer(ms, () => late.resolve(LATE));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
