import { RedisClient } from "@redis/client";
import type { Clock } from "../../observability/clock.ts";
import type { Log } from "../../observability/log.ts";
import { storeError, wantsNewConnection } from "./redis-errors.ts";
import type { RedisAddress } from "./redis-url.ts";
import { StoreUnavailableError } from "./session-store.ts";

/** From the first packet to the answer to a PING. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** Past it the connection counts as dead: all that waits on it fails, and a new one is made. */
export const COMMAND_TIMEOUT_MS = 5_000;
export const MAX_COMMANDS_IN_FLIGHT = 10_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 3_000;
/** A connection that did not last this long counts as one that failed. */
const MIN_LIFETIME_MS = 5_000;
const DRAIN_TIMEOUT_MS = 2_000;

/**
 * What carries commands to Redis; one server now, and the place where a cluster or a sentinel would go: every command
 * of the store has the keys of one session, which have one hash tag.
 */
export interface RedisLink {
  /** Another number with every connection that was made. */
  readonly epoch: number;
  /** Rejects with StoreUnavailableError or CorruptSessionError, or with the reply itself where `isExpected`. */
  execute(args: readonly string[], options?: ExecuteOptions): Promise<unknown>;
  /** Afterwards every command is refused. What is under way is given a little time, unless `drain` is false. */
  close(options?: { drain: boolean }): Promise<void>;
}

export interface ExecuteOptions {
  timeoutMs?: number;
  /** An error reply that the caller will deal with. */
  isExpected?: (error: unknown) => boolean;
}

export interface RedisConnectionOptions {
  address: RedisAddress;
  /** Authorities to trust beside the system's, PEM. */
  ca?: string;
  clock: Clock;
  random?: () => number;
  log?: Log;
}

/**
 * One connection that is made again whenever it is lost. While it is down commands are refused at once, none is kept
 * for later; while the first attempt after a loss is under way they wait for its outcome.
 *
 * Each attempt has a client of its own that never reconnects by itself, because the library's own reconnection cannot
 * get away from a server that takes the connection and then says nothing.
 */
export class RedisConnection implements RedisLink {
  readonly #options: RedisConnectionOptions;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  readonly #closing = new AbortController();
  readonly #supervisor: Promise<void>;
  #epoch = 0;
  #client: PlainClient | undefined;
  #attempt: Promise<unknown> = Promise.resolve();
  /** Why there is no connection, once an attempt has failed. */
  #down: Error | undefined;
  /** Ends the current client. */
  #lose: (cause: unknown) => void = () => {};

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
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
        const timeout = new AbortController();
        await Promise.race([
          this.#client.close().catch(() => {}),
          this.#clock.sleep(DRAIN_TIMEOUT_MS, timeout.signal).catch(() => {}),
        ]);
        timeout.abort();
      }
      this.#lose(new StoreUnavailableError("the session store is closed"));
    }
    await this.#supervisor;
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const client = this.#newClient();
      const lost = Promise.withResolvers<unknown>();
      client.on("error", lost.resolve);
      this.#lose = lost.resolve;
      const attempt = this.#connect(client, lost.promise);
      this.#attempt = attempt;
      let problem = await attempt;
      if (problem === undefined) {
        const since = this.#clock.monotonic();
        problem = await lost.promise;
        failures = this.#clock.monotonic() - since < MIN_LIFETIME_MS ? failures + 1 : 0;
        this.#client = undefined;
      } else {
        failures += 1;
      }
      if (signal.aborted) this.#down = storeError(problem);
      else if (failures > 0) this.#goDown(problem);
      client.destroy();
      if (failures > 0) await this.#clock.sleep(this.#retryDelay(failures), signal).catch(() => {});
    }
  }

  /** Answers why it did not succeed. */
  async #connect(client: PlainClient, lost: Promise<unknown>): Promise<unknown> {
    let isAbandoned = false;
    const connected = (async () => {
      await client.connect();
      // The library destroys no socket that is still connecting.
      if (isAbandoned) client.destroy();
      else await client.sendCommand(["PING"]);
      return undefined;
    })();
    const timeout = new AbortController();
    const problem = await Promise.race([
      connected.catch((error: unknown) => error),
      lost,
      this.#clock.sleep(CONNECT_TIMEOUT_MS, timeout.signal).then(
        () => noAnswer(this.#options.address.tls ? " (does it speak TLS?)" : ""),
        () => undefined,
      ),
    ]);
    timeout.abort();
    isAbandoned = problem !== undefined;
    if (isAbandoned) return problem;
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

  #retryDelay(failures: number): number {
    const delay = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
    return delay * (0.5 + (this.#options.random ?? Math.random)() / 2);
  }

  #newClient(): PlainClient {
    const { host, port, tls, username, password, database } = this.#options.address;
    const socket = {
      host,
      port,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: false,
    } as const;
    const trusted = this.#options.ca === undefined ? {} : { ca: this.#options.ca };
    return new RedisClient({
      RESP: 2,
      socket: tls ? { ...socket, ...trusted, tls: true } : socket,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      database,
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_COMMANDS_IN_FLIGHT,
      // The library's timeout ends when a command is written, which is when ours begins to matter.
      commandOptions: { timeout: 0 },
      disableClientInfo: true,
      maintNotifications: "disabled",
    });
  }
}

function noAnswer(hint = ""): StoreUnavailableError {
  return new StoreUnavailableError(`the session store is unavailable: it does not answer${hint}`);
}

/** The library's client without its commands as methods, which would cost a class of 500 of them. */
type PlainClient = Pick<
  InstanceType<typeof RedisClient<{}, {}, {}, 2, {}>>,
  "connect" | "close" | "destroy"
> & {
  sendCommand(args: readonly string[]): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): unknown;
};
