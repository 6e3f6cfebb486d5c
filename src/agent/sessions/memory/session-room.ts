/** Makes room for what a session needs, by letting others go. */
import type { ExpiryQueue } from "../expiry-queue.ts";
import type { HolderShares } from "./holder-shares.ts";
import type { MemorySession } from "./memory-session.ts";
import { full } from "./refused-write.ts";

/** The part of the bytes past which a holder makes way before all others, and that the running turns of others leave. */
const FAIR_SHARE = 1 / 8;

export function fairBytes(maxBytes: number): number {
  return maxBytes * FAIR_SHARE;
}

export interface SessionRoomOptions {
  readonly shares: HolderShares<MemorySession>;
  readonly byActivity: ExpiryQueue<MemorySession>;
  readonly maxBytes: number;
  readonly maxBytesPerHolder: number;
  readonly isRunning: (session: MemorySession) => boolean;
  readonly remove: (session: MemorySession) => void;
}

export class SessionRoom {
  readonly #options: SessionRoomOptions;
  /** How much the sessions of one holder may take whose turns are running. */
  readonly #maxRunningBytes: number;
  maxBytesPerHolder: number;

  constructor(options: SessionRoomOptions) {
    this.#options = options;
    this.#maxRunningBytes = options.maxBytes - fairBytes(options.maxBytes);
    this.maxBytesPerHolder = options.maxBytesPerHolder;
  }

  /** Throws StoreFullError when there is no room but that of running turns, or too much of it is this holder's. */
  make(bytes: number, needing: MemorySession): void {
    const { shares, maxBytes } = this.#options;
    const { holder } = needing;
    const needed = shares.bytesOf(holder) + bytes;
    if (
      needed > this.#maxRunningBytes &&
      this.#runningBytes(needing) + bytes > this.#maxRunningBytes
    )
      throw full();
    while (shares.bytesOf(holder) + bytes > this.maxBytesPerHolder) {
      if (!this.#evict(shares.of(holder), needing)) throw full();
    }
    while (shares.bytes + bytes > maxBytes) this.evictAny(needing);
  }

  evictAny(needing: MemorySession): void {
    const { shares, byActivity } = this.#options;
    const isEvicted =
      this.#evict(shares.ofLargeHolders(), needing) || this.#evict(byActivity.values(), needing);
    if (!isEvicted) throw full();
  }

  /** Removes the first one of these that may go; answers whether there was one. */
  #evict(sessions: Iterable<MemorySession>, needing: MemorySession): boolean {
    for (const session of sessions) {
      if (session === needing || this.#options.isRunning(session)) continue;
      this.#options.remove(session);
      return true;
    }
    return false;
  }

  /** What the sessions of the holder take that cannot make way for the one that needs room, itself included. */
  #runningBytes(needing: MemorySession): number {
    let bytes = 0;
    for (const session of this.#options.shares.of(needing.holder)) {
      if (session === needing || this.#options.isRunning(session)) bytes += session.countedBytes;
    }
    return bytes;
  }
}
