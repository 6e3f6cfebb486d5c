import type { Clock } from "../../time/clock.ts";
import { StoreUnavailableError } from "../sessions/session-store.ts";

export interface RetryOptions {
  readonly clock: Clock;
  readonly pausesMs: readonly number[];
  /** Nobody waits for it any more. */
  readonly isOver?: () => boolean;
}

/**
 * Repeats a read or a write that the store did not answer, after each of the pauses; a write of the store done twice has the
 * effect of once. Rejects with what the last attempt rejected with.
 */
export function withStoreRetries<T>(ask: () => Promise<T>, options: RetryOptions): Promise<T> {
  return ask().catch((error: unknown) => retry(error, ask, options));
}

async function retry<T>(first: unknown, ask: () => Promise<T>, options: RetryOptions): Promise<T> {
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
