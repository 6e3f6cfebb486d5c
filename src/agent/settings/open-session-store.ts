import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import { MemorySessionStore } from "../sessions/memory/memory-session-store.ts";
import { InvalidStoreURLError, parseRedisURL } from "../sessions/redis/url.ts";
import type { SessionStore } from "../sessions/session-store.ts";

export interface SessionStoreOptions {
  type: "memory" | "redis";
  ttlMs: number;
  /** For `redis`: see store-url.ts. */
  url?: string;
  /** For `redis` over TLS: authorities to trust in place of the system's, PEM. */
  ca?: string;
  clock: Clock;
  log?: Log;
}

/**
 * Opens a store. It is open before Redis can be reached: `check` says whether it can, and the store connects by itself
 * for as long as it is open. Rejects with InvalidStoreURLError. A store keeps to its URL; for another one (a rotated
 * password), open a second store and close the first when its turns have ended.
 */
export async function openSessionStore(options: SessionStoreOptions): Promise<SessionStore> {
  const { type, ttlMs, url, ca, clock, log } = options;
  switch (type) {
    case "memory":
      return new MemorySessionStore({ ttlMs, clock });
    case "redis": {
      if (url === undefined) throw new InvalidStoreURLError("a store of type redis needs a URL");
      const address = parseRedisURL(url);
      // The library takes 20 MB of memory, which a process without Redis is spared.
      const { RedisSessionStore } = await import("../sessions/redis/redis-session-store.ts");
      return new RedisSessionStore({
        address,
        ttlMs,
        clock,
        ...(ca === undefined ? {} : { ca }),
        ...(log === undefined ? {} : { log }),
      });
    }
  }
}
