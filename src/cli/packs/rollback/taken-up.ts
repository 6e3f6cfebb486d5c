import { systemClock } from "../../../time/clock.ts";
import { Deadline } from "../../../time/deadline.ts";

/** After this time whoever looks after the pack is taken for gone. */
export const TAKE_UP_MS = 10_000;
const LOOK_AGAIN_MS = 150;

/** Looks until there is something to see. Resolves to `undefined` when the time is over. */
export async function untilTakenUp<Seen>(
  look: () => Promise<Seen | undefined>,
): Promise<Seen | undefined> {
  using deadline = new Deadline({ ms: TAKE_UP_MS, clock: systemClock });
  while (!deadline.isOver) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await systemClock.sleep(LOOK_AGAIN_MS, deadline.signal).catch(() => {});
  }
  return undefined;
}
