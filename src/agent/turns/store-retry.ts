import type { Clock } from "../../observability/clock.ts";
import { StoreUnavailableError } from "../sessions/session-store.ts";

/**
 * Repeats a write that the store did not answer, after each of the pauses; a write of the store done twice has the effect of
 * once. Rejects with what the last attempt rejected with.
 */
export async function writeWithRetries<T>(
  write: (attempt: number) => Promise<T>,
  options: { clock: Clock; pausesMs: readonly number[]; isOver?: () => boolean },
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await write(attempt);
    } catch (error) {
      const pause = options.pausesMs[attempt];
      if (!(error instanceof StoreUnavailableError) || pause === undefined) throw error;
      if (options.isOver?.() === true) throw error;
      await options.clock.sleep(pause);
    }
  }
}
