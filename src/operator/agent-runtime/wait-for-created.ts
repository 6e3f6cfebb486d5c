import type { Clock } from "../../time/clock.ts";
import type { Phase } from "./pass.ts";

/** An object that was created and is not in the caches by then may have been deleted again. */
const CREATED_SHOWS_MS = 2_000;

/** Ends the pass while the caches do not show what was just created, because it would be created again. */
export function waitForCreated(clock: Clock): Phase {
  return async ({ memory, own }) => {
    if (memory.created?.children.every((child) => own[child] !== undefined)) {
      memory.created = undefined;
    }
    if (memory.created === undefined) return {};
    const requeueAfterMs = memory.created.atMs + CREATED_SHOWS_MS - clock.monotonic();
    return requeueAfterMs > 0 ? { requeueAfterMs, endsPass: true } : {};
  };
}
