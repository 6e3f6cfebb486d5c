import type { ServerAddress, StoreEndpoint } from "../../../agent-config/store-url.ts";
import { exponentialBackoff, jittered, type Backoff } from "../../../time/backoff.ts";
import type { Clock } from "../../../time/clock.ts";
import { LATE, within } from "../../../time/within.ts";
import type { Log } from "../../../observability/log.ts";
import { CONNECT_TIMEOUT_MS, newRedisClient, type PlainClient } from "./client.ts";
import { storeError, wantsNewConnection } from "./errors.ts";
import { StoreUnavailableError } from "../session-store.ts";

/** A command that takes longer shows that the connection is dead: all that waits on it fails, and a new one is made. */
export const COMMAND_TIMEOUT_MS = 5_000;
const RETRY = exponentialBackoff({ firstMs: 100, lastMs: 3_000 });
/** A connection that did not last this long counts as one that failed. */
const MIN_LIFETIME_MS = 5_000;
const DRAIN_TIMEOUT_MS = 2_000;

/**
 * Carries commands to Redis: to one server, to the one that Sentinels name, or to the nodes of a cluster. Every command of
 * the store has the keys of one session, which have one hash tag.
 */
export interface RedisLink {
  /** The number of the connection: each new connection has another one. */
  readonly epoch: number;
  /** Rejects with StoreUnavailableError or CorruptSessionError, or with the reply itself where `isExpected`. */
  execute(args: readonly string[], options?: ExecuteOptions): Promise<unknown>;
  /** Refuses every command from now on. Commands under way are given a little time, unless `drain` is false. */
  close(options?: { drain: boolean }): Promise<void>;
}

export interface ExecuteOptions {
  timeoutMs?: number;
  /** An error reply that the caller will deal with. */
  isExpected?: (error: unknown) => boolean;
}

export interface ServerLinkOptions {
  address: ServerAddress;
  /** Finds out, for each connection, which server it goes to. Without it, that is the server of the address. */
  locate?: (() => Promise<StoreEndpoint>) | undefined;
  /** Authorities to trust in place of the system's, PEM. */
  ca?: string | undefined;
  clock: Clock;
  random?: (() => number) | undefined;
  log?: Log | undefined;
}

/**
 * One connection that is made again whenever it is lost. While it is down commands are refused at once, none is kept
 * for later; while the first attempt after a loss is under way they wait for its outcome.
 *
 * Each attempt has a client of its own that never reconnects by itself, because the library's own reconnection cannot
 * get away from a server that takes the connection and then says nothing.
 */
export class ServerLink implements RedisLink {
  readonly #options: ServerLinkOptions;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  readonly #retryAfter: Backoff;
  readonly #closing = new AbortController();
  readonly #supervisor: Promise<void>;
  #epoch = 0;
  #client: PlainClient | undefined;
  #attempt: Promise<unknown> = Promise.resolve();
  /** Why there is no connection, once an attempt has failed. */
  #down: Error | undefined;
  /** Ends the current client. */
  #lose: (cause: unknown) => void = () => {};

  constructor(options: ServerLinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#retryAfter = jittered(RETRY, options.random ?? Math.random);
    this.#supervisor = this.#supervise();
  }

  get epoch(): number {
    return this.#epoch;
  }

  async execute(args: readonly string[], options: ExecuteOptions = {}): Promise<unknown> {
    if (this.#client === undefined && this.#down === undefined) await this.#attempt;
    const client = this.#client;
    if (client === undefined || this.#closing.signal.aborted) throw this.#unavailable();
    let timeout: StoreUnavailableError | undefined;
    const timer = this.#clock.setTimer(options.timeoutMs ?? COMMAND_TIMEOUT_MS, () => {
      timeout = noAnswer();
      this.#lose(timeout);
    });
    try {
      return await client.sendCommand(args);
    } catch (error) {
      if (timeout !== undefined) throw timeout;
      if (options.isExpected?.(error) === true) throw error;
      if (wantsNewConnection(error)) this.#lose(error);
      // A command that was cut off knows less of the reason than the connection does.
      throw client === this.#client ? storeError(error) : this.#unavailable(error);
    } finally {
      timer.cancel();
    }
  }

  async close({ drain }: { drain: boolean } = { drain: true }): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      if (drain && this.#client !== undefined) {
        const drained = this.#client.close().catch(() => {});
        await within(DRAIN_TIMEOUT_MS, drained, this.#clock);
      }
      this.#lose(new StoreUnavailableError("the session store is closed"));
    }
    await this.#supervisor;
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const lost = Promise.withResolvers<unknown>();
      this.#lose = lost.resolve;
      const attempt = this.#connect(lost);
      this.#attempt = attempt;
      let problem = await attempt;
      if (problem === undefined) {
        const since = this.#clock.monotonic();
        const client = this.#client;
        problem = await lost.promise;
        failures = this.#clock.monotonic() - since < MIN_LIFETIME_MS ? failures + 1 : 0;
        this.#client = undefined;
        client?.destroy();
      } else {
        failures += 1;
      }
      if (signal.aborted) this.#down = storeError(problem);
      else if (failures > 0) this.#goDown(problem);
      if (failures > 0) await this.#clock.sleep(this.#retryAfter(failures), signal).catch(() => {});
    }
  }

  /** Resolves with the reason when it did not succeed. */
  async #connect(lost: PromiseWithResolvers<unknown>): Promise<unknown> {
    const { address, ca, locate } = this.#options;
    let isAbandoned = false;
    let client: PlainClient | undefined;
    const connected = (async () => {
      const endpoint = await locate?.();
      if (isAbandoned) return;
      client = newRedisClient({ ...address, ...endpoint }, ca);
      client.on("error", lost.resolve);
      await client.connect();
      // The library destroys no socket that is still connecting.
      if (isAbandoned) client.destroy();
      else await client.sendCommand(["PING"]);
      if (!isAbandoned && locate !== undefined) await assertPrimary(client);
    })();
    const outcome = Promise.race([connected.catch((error: unknown) => error), lost.promise]);
    const settled = await within(CONNECT_TIMEOUT_MS, outcome, this.#clock);
    const problem =
      settled === LATE ? noAnswer(address.tls ? " (does it speak TLS?)" : "") : settled;
    isAbandoned = problem !== undefined;
    if (isAbandoned) {
      client?.destroy();
      return problem;
    }
    this.#client = client;
    this.#epoch += 1;
    if (this.#down !== undefined) this.#log?.info({}, "the session store is reachable again");
    this.#down = undefined;
    return undefined;
  }

  #goDown(problem: unknown): void {
    const error = storeError(problem);
    if (this.#down?.message !== error.message) this.#log?.warn({ error }, error.message);
    this.#down = error;
  }

  #unavailable(cause?: unknown): StoreUnavailableError {
    const message = this.#closing.signal.aborted
      ? "the session store is closed"
      : (this.#down?.message ?? storeError(cause).message);
    return new StoreUnavailableError(message, { cause: this.#down ?? cause });
  }
}

/** A Sentinel may name a server that has just become a replica. */
async function assertPrimary(client: PlainClient): Promise<void> {
  // A user may lack the right to ask: then its writes will tell.
  const reply = await client.sendCommand(["ROLE"]).catch(() => undefined);
  if (!Array.isArray(reply) || reply[0] === "master") return;
  throw new StoreUnavailableError(
    "the session store is unavailable: its Sentinels name a primary that is none, or is one no more",
  );
}

function noAnswer(hint = ""): StoreUnavailableError {
  return new StoreUnavailableError(`the session store is unavailable: it does not answer${hint}`);
}
