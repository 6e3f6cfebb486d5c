import { parseStoreURL } from "../../agent-config/store-url.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import { MemorySessionStore } from "../sessions/memory/memory-session-store.ts";
import type { SessionStore } from "../sessions/session-store.ts";

/** The URL of a store cannot be used. The message does not repeat the URL, which holds a password. */
export class InvalidStoreURLError extends Error {
  override readonly name = "InvalidStoreURLError";
}

export interface SessionStoreOptions {
  /** Whose sessions they are. Many agents may share one store. */
  agent: { readonly namespace: string; readonly name: string };
  type: "memory" | "redis";
  ttlMs: number;
  /** What the sessions of one holder may take, about, in bytes. */
  maxBytesPerHolder?: number | undefined;
  /** A store of type `redis` needs it; see store-url.ts. */
  url?: string | undefined;
  /** The authorities that `redis` over TLS trusts in place of the system's, PEM. */
  ca?: string | undefined;
  clock: Clock;
  log?: Log | undefined;
}

/**
 * Opens a store. It is open before Redis can be reached: `check` says whether it can, and the store connects by itself
 * for as long as it is open. Rejects with InvalidStoreURLError. A store keeps to its URL; for another one (a rotated
 * password), open a second store and close the first when its turns have ended.
 */
export async function openSessionStore(options: SessionStoreOptions): Promise<SessionStore> {
  const { agent, type, ttlMs, maxBytesPerHolder, url, ca, clock, log } = options;
  switch (type) {
    case "memory":
      return new MemorySessionStore({ ttlMs, maxBytesPerHolder, clock });
    case "redis": {
      if (url === undefined) throw new InvalidStoreURLError("a store of type redis needs a URL");
      const parsed = parseStoreURL(url);
      if (!parsed.ok) {
        throw new InvalidStoreURLError(`the store's URL cannot be used: ${parsed.problem}`);
      }
      // The library takes 20 MB of memory, which a process without Redis is spared.
      const { RedisSessionStore } = await import("../sessions/redis/redis-session-store.ts");
      return new RedisSessionStore({
        agent,
        address: parsed.address,
        ca,
        ttlMs,
        maxBytesPerHolder,
        clock,
        log,
      });
    }
  }
}
