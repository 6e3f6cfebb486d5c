/** Session stores on a Redis of a test, and what tests do to it behind the stores' backs. */
import { randomUUID } from "node:crypto";
import { vi } from "vitest";
import { openRedisLink } from "../../../src/agent/sessions/redis/open-link.ts";
import type { RedisLink } from "../../../src/agent/sessions/redis/server-link.ts";
import { RedisSessionStore } from "../../../src/agent/sessions/redis/redis-session-store.ts";
import { parseStoreURL, type StoreAddress } from "../../../src/agent-config/store-url.ts";
import type { SessionStore } from "../../../src/agent/sessions/session-store.ts";
import { systemClock } from "../../../src/time/clock.ts";

export const REDIS_TTL_MS = 60 * 60_000;

export interface RedisStoreOptions {
  ttlMs?: number | undefined;
  leaseMs?: number | undefined;
  ca?: string | undefined;
  agent?: { namespace: string; name: string } | undefined;
}

/** The agent of the stores that name no other. */
const REDIS_AGENT = { namespace: "default", name: "a-test" };

/** An agent of its own for a test that lists sessions. */
export function anAgent(): { namespace: string; name: string } {
  return { namespace: "default", name: `agent-${randomUUID()}` };
}

export function openRedisStore(url: string, options: RedisStoreOptions = {}): SessionStore {
  const { ttlMs = REDIS_TTL_MS, leaseMs, ca, agent = REDIS_AGENT } = options;
  const address = addressOf(url);
  return new RedisSessionStore({ agent, address, ca, ttlMs, leaseMs, clock: systemClock });
}

export function addressOf(url: string): StoreAddress {
  const parsed = parseStoreURL(url);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.address;
}

/** Speaks to Redis as no store does. */
export class RedisProbe {
  readonly connection: RedisLink;

  constructor(url: string) {
    this.connection = openRedisLink({ address: addressOf(url), clock: systemClock });
  }

  command(...args: string[]): Promise<unknown> {
    return this.connection.execute(args);
  }

  async keysOf(sessionId: string): Promise<string[]> {
    return ((await this.command("KEYS", `omnia:{${sessionId}}:*`)) as string[]).toSorted();
  }

  /** Sets back all times that Redis knows of a session. */
  async passTime(sessionId: string, ms: number): Promise<void> {
    const prefix = `omnia:{${sessionId}}:`;
    const turns = (await this.command("LRANGE", `${prefix}turns`, "0", "-1")) as string[];
    for (const [at, turn] of turns.entries()) {
      const [ended, ...rest] = turn.split(" ");
      const earlier = [String(Number(ended) - ms), ...rest].join(" ");
      await this.command("LSET", `${prefix}turns`, String(at), earlier);
    }
    const lease = Number(await this.command("HGET", `${prefix}session`, "lease"));
    if (lease > 0) await this.command("HSET", `${prefix}session`, "lease", String(lease - ms));
    for (const key of await this.keysOf(sessionId)) {
      const left = (await this.command("PTTL", key)) as number;
      if (left > 0) await this.command("PEXPIRE", key, String(Math.max(0, left - ms)));
    }
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

export async function eventually(holds: () => Promise<unknown>): Promise<void> {
  await vi.waitFor(holds, { timeout: 60_000, interval: 20 });
}
