/** What one follower of the changes is sent, as server-sent events. It is written only as fast as the follower reads. */
import type { WatchEvent } from "../../../http-api/watch-events.ts";
import type { Clock } from "../../../time/clock.ts";
import { Deadline } from "../../../time/deadline.ts";
import type { Change, ChangeLog } from "./change-log.ts";

/** A comment comes when nothing else came for this time, so that nobody on the way takes the connection for dead. */
const HEARTBEAT_MS = 15_000;
/** Changes that come together are sent together, each resource once. */
const GATHER_MS = 50;

const HEARTBEAT = ":\n\n";

export interface WatchOptions {
  readonly log: ChangeLog;
  /** What the follower had last, as it says. */
  readonly lastEventId: string | undefined;
  readonly clock: Clock;
  /** The stream ends when it aborts. */
  readonly signal: AbortSignal;
  /** All that the follower may see now. */
  readonly snapshot: () => Promise<WatchEvent & { type: "snapshot" }>;
  /** What the follower is told of these changes, in their order; `undefined` for what it may not see. */
  readonly tell: (changes: readonly Change[]) => Promise<(WatchEvent | undefined)[]>;
}

/** The first part tells that the stream has begun. */
export async function* watchStream(options: WatchOptions): AsyncGenerator<string> {
  const { log, lastEventId, clock, signal, snapshot, tell } = options;
  yield HEARTBEAT;
  let position = lastEventId === undefined ? undefined : log.readCursor(lastEventId);
  let isKnown = lastEventId === undefined;
  while (!signal.aborted) {
    if (position === undefined) {
      if (!isKnown) yield frame({ type: "reset" }, undefined);
      // What changes while the snapshot is made is told once more after it.
      position = log.last;
      yield frame(await snapshot(), log.cursorOf(position));
    }
    const changes = log.after(position);
    if (changes === undefined) {
      position = undefined;
      isKnown = false;
      continue;
    }
    if (changes.length === 0) {
      yield* quiet(log, position, clock, signal);
      continue;
    }
    const told = await tell(changes);
    for (const [index, change] of changes.entries()) {
      const event = told[index];
      position = change.number;
      if (event !== undefined) yield frame(event, log.cursorOf(position));
    }
  }
}

/** Waits for a change, and then for those that come with it. */
async function* quiet(
  log: ChangeLog,
  position: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  using heartbeat = new Deadline({ ms: HEARTBEAT_MS, clock, signal });
  await log.wait(position, heartbeat.signal);
  if (signal.aborted) return;
  if (heartbeat.isOver) yield HEARTBEAT;
  else await clock.sleep(GATHER_MS, signal).catch(() => {});
}

function frame(event: WatchEvent, id: string | undefined): string {
  const line = id === undefined ? "" : `id: ${id}\n`;
  return `${line}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
