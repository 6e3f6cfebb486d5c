/** Asks Sentinels which server is the primary now. */
import type {
  SentinelAddress,
  ServerAddress,
  StoreEndpoint,
} from "../../../agent-config/store-url.ts";
import type { Clock } from "../../../time/clock.ts";
import { LATE, within } from "../../../time/within.ts";
import { newRedisClient } from "./client.ts";
import { problemOf } from "./errors.ts";
import { StoreUnavailableError } from "../session-store.ts";

/** A Sentinel that takes longer is passed over: there are others, and the time to connect is short. */
const SENTINEL_TIMEOUT_MS = 1_000;

export class RedisSentinels {
  readonly #address: SentinelAddress;
  readonly #ca: string | undefined;
  readonly #clock: Clock;
  /** The one that answered last comes first. */
  #sentinels: readonly StoreEndpoint[];

  constructor(options: { address: SentinelAddress; ca?: string | undefined; clock: Clock }) {
    this.#address = options.address;
    this.#ca = options.ca;
    this.#clock = options.clock;
    this.#sentinels = options.address.sentinels;
  }

  /** Rejects with StoreUnavailableError when none of them could say. */
  async primary(): Promise<StoreEndpoint> {
    let cause: unknown;
    let knowsNone = false;
    for (const sentinel of this.#sentinels) {
      try {
        const primary = await this.#ask(sentinel);
        if (primary === undefined) {
          knowsNone = true;
          continue;
        }
        this.#sentinels = [sentinel, ...this.#sentinels.filter((other) => other !== sentinel)];
        return primary;
      } catch (error) {
        cause = error;
      }
    }
    const problem = knowsNone
      ? "its Sentinels watch no primary of the name in its URL"
      : `none of its Sentinels answers, the last one since ${problemOf(cause)}`;
    throw new StoreUnavailableError(`the session store is unavailable: ${problem}`, { cause });
  }

  async #ask(sentinel: StoreEndpoint): Promise<StoreEndpoint | undefined> {
    const { tls, username, password } = this.#address;
    const open = { kind: "server", ...sentinel, tls, database: 0 } as const;
    if (password === undefined) return this.#askAt(open);
    try {
      return await this.#askAt({ ...open, username, password });
    } catch (error) {
      // Sentinels often have no password where the servers that they watch have one.
      if (!isRefusedPassword(error)) throw error;
      return this.#askAt(open);
    }
  }

  async #askAt(address: ServerAddress): Promise<StoreEndpoint | undefined> {
    const client = newRedisClient(address, this.#ca);
    const { promise: failed, reject } = Promise.withResolvers<never>();
    failed.catch(() => {});
    client.on("error", reject);
    let isOver = false;
    const asked = (async () => {
      await client.connect();
      if (isOver) {
        // The library destroys no socket that is still connecting.
        client.destroy();
        return undefined;
      }
      const { primary } = this.#address;
      return client.sendCommand(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", primary]);
    })();
    try {
      const answer = await within(SENTINEL_TIMEOUT_MS, Promise.race([asked, failed]), this.#clock);
      if (answer === LATE) {
        throw Object.assign(new Error("the Sentinel does not answer"), { code: "ETIMEDOUT" });
      }
      return endpointOf(answer);
    } finally {
      isOver = true;
      client.destroy();
    }
  }
}

function endpointOf(reply: unknown): StoreEndpoint | undefined {
  if (!Array.isArray(reply)) return undefined;
  const [host, port] = reply as unknown[];
  return typeof host === "string" && /^\d+$/.test(String(port))
    ? { host, port: Number(port) }
    : undefined;
}

function isRefusedPassword(error: unknown): boolean {
  const message = error instanceof Error ? error.message : "";
  return /without any password configured|^WRONGPASS|invalid password/.test(message);
}
