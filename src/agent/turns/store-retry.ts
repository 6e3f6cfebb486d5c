import type { Clock } from "../../time/clock.ts";
import { StoreUnavailableError } from "../sessions/session-store.ts";

export interface RetryOptions {
  readonly clock: Clock;
  readonly pausesMs: readonly number[];
  /** Whether nobody waits for the answer any more. No further attempt is made then. */
  readonly isOver?: (() => boolean) | undefined;
}

/**
 * Repeats a read or a write that the store did not answer, after each of the pauses. A write may be repeated, since a store
 * that does it twice has the same content as after the first time. Rejects with what the last attempt rejected with.
 */
export function withStoreRetries<T>(ask: () => Promise<T>, options: RetryOptions): Promise<T> {
  return ask().catch((error: unknown) => retryStore(error, ask, options));
}

/** Goes on as `withStoreRetries` does when its first attempt rejects with `first`: for what is asked so often that it counts. */
export async function retryStore<T>(
  first: unknown,
  ask: () => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  let last = first;
  for (const pause of options.pausesMs) {
    if (!(last instanceof StoreUnavailableError) || options.isOver?.() === true) break;
    await options.clock.sleep(pause);
    try {
      return await ask();
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
