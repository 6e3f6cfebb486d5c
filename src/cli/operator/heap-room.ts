/** How much room the heap is left beyond what is in use: plenty while the operator has much to do, and next to none while it waits. */
import type { Clock } from "../../time/clock.ts";

/** How often it is looked at what the operator does. */
export const LOOK_MS = 1_000;
/** From this share of its time on, the operator has much to do. Next to no room would then cost as much time as the work itself. */
const BUSY_SHARE = 0.3;
/** Up to this share it waits. */
const QUIET_SHARE = 0.1;
/** For so long it waits before its heap is made small: a burst is not over because it pauses. */
export const QUIET_MS = 5_000;
/** What a busy heap may grow by until garbage is collected. */
const ROOM_BYTES = 24 * 1024 * 1024;
const MIN_GROWTH_PERCENT = 10;
const MAX_GROWTH_PERCENT = 100;

interface HeapRoom {
  readonly isPlenty: boolean;
  /** Since when the operator waits, in milliseconds of the monotonic clock, as long as it has plenty of room. */
  readonly quietSinceMs: number | undefined;
}

const LITTLE_ROOM: HeapRoom = { isPlenty: false, quietSinceMs: undefined };

/** What comes after `room`. `share`: of the time since the last look, in which the operator had something to do. */
function nextHeapRoom(room: HeapRoom, share: number, nowMs: number): HeapRoom {
  if (share >= BUSY_SHARE) return { isPlenty: true, quietSinceMs: undefined };
  if (!room.isPlenty) return room;
  if (share > QUIET_SHARE) return { isPlenty: true, quietSinceMs: undefined };
  const quietSinceMs = room.quietSinceMs ?? nowMs;
  return nowMs - quietSinceMs >= QUIET_MS ? LITTLE_ROOM : { isPlenty: true, quietSinceMs };
}

/** By how many percent the heap grows until garbage is collected, so that it has about the same room whatever its size. */
export function growthPercent(usedBytes: number): number {
  const percent = Math.round((100 * ROOM_BYTES) / Math.max(1, usedBytes));
  return Math.min(MAX_GROWTH_PERCENT, Math.max(MIN_GROWTH_PERCENT, percent));
}

/** The heap of this process. */
export interface Heap {
  /** What the objects of JavaScript take, garbage included. */
  usedBytes(): number;
  /** Milliseconds in which the process had something to do so far, whether or not it was given a processor. */
  activeMs(): number;
  /** Has it grow by so many percent until garbage is collected, or, at 0, by as little as possible. */
  growBy(percent: number): void;
  /** Collects all garbage, and gives what is free back. */
  collect(): void;
}

/** Makes room while it is needed, until the signal aborts. */
export async function keepHeapRoom(heap: Heap, clock: Clock, signal: AbortSignal): Promise<void> {
  let room = LITTLE_ROOM;
  heap.growBy(0);
  for (;;) {
    const fromMs = clock.monotonic();
    const fromActiveMs = heap.activeMs();
    try {
      await clock.sleep(LOOK_MS, signal);
    } catch {
      return;
    }
    const nowMs = clock.monotonic();
    const next = nextHeapRoom(room, (heap.activeMs() - fromActiveMs) / (nowMs - fromMs), nowMs);
    if (next.isPlenty) heap.growBy(growthPercent(heap.usedBytes()));
    else if (room.isPlenty) {
      heap.growBy(0);
      heap.collect();
    }
    room = next;
  }
}
