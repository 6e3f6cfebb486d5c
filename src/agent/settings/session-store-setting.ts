import { dirname } from "node:path";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type { CurrentStore } from "../sessions/current-store.ts";
import { limitsOf, STORE_RETRY_MS } from "../contracts/limits.ts";
import { openSessionStore } from "./open-session-store.ts";

export interface SessionStoreSettingOptions {
  readonly stores: CurrentStore;
  readonly readSecret: (relativePath: string) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the session store that the config and the secret files ask for, and brings it into use. */
export class SessionStoreSetting {
  readonly #options: SessionStoreSettingOptions;
  /** The settings that the store in use was opened with. */
  #identity: string | undefined;
  #problem: string | undefined;
  #retry: Timer | undefined;
  /** The config that asks for a store now. Undefined when none does any more. */
  #latest: AgentConfig | undefined;
  #applying: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: SessionStoreSettingOptions) {
    this.#options = options;
  }

  /** Why the store that the config asks for is not in use, in a sentence for people that does not contain the URL. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The folder of the file with the store's URL, relative to the config. */
  static secretFolder(config: AgentConfig): string | undefined {
    const { type, storeURLFile } = config.session;
    return type === "redis" && storeURLFile !== undefined ? dirname(storeURLFile) : undefined;
  }

  /** Opens another store when the config asks for another one, and tries again by itself when that fails. Never rejects. */
  apply(config: AgentConfig): Promise<void> {
    if (this.#isClosed) return this.#applying;
    this.#latest = config;
    this.#applying = this.#applying.then(() => this.#apply(config));
    return this.#applying;
  }

  /** Settles when nothing more is opened. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#latest = undefined;
    this.#retry?.cancel();
    await this.#applying;
  }

  async #apply(config: AgentConfig): Promise<void> {
    if (config !== this.#latest) return;
    this.#retry?.cancel();
    try {
      await this.#open(config);
      this.#problem = undefined;
    } catch (error) {
      const problem = `the session store cannot be used: ${error instanceof Error ? error.message : "unknown error"}`;
      // A problem is logged once and not with every attempt: each change of a file beside the config makes one.
      if (problem !== this.#problem) {
        this.#problem = problem;
        const outcome =
          this.#identity === undefined
            ? "The session store could not be opened"
            : "The session store could not be opened; the one before stays in use";
        this.#options.log.error({ error }, outcome);
      }
      if (config !== this.#latest) return;
      this.#retry = this.#options.clock.setTimer(STORE_RETRY_MS, () => void this.apply(config));
    }
  }

  async #open(config: AgentConfig): Promise<void> {
    const { stores, readSecret, clock, log } = this.#options;
    const { type, ttlMs, storeURLFile, storeCAFile } = config.session;
    const maxBytesPerHolder = limitsOf(config).maxSessionBytesPerClient;
    const url = type === "redis" ? await readSecret(storeURLFile ?? "") : undefined;
    const ca =
      type === "redis" && storeCAFile !== undefined
        ? await readSecret(storeCAFile).catch(unlessMissing)
        : undefined;
    const identity = JSON.stringify([type, url, ca]);
    if (identity === this.#identity) {
      stores.peek()?.setTtl(ttlMs);
      stores.peek()?.setMaxBytesPerHolder(maxBytesPerHolder);
      return;
    }
    const store = await openSessionStore({
      agent: config.agent,
      type,
      ttlMs,
      maxBytesPerHolder,
      url,
      ca,
      clock,
      log,
    });
    this.#identity = identity;
    stores.replace(store);
    log.info({ type }, "The session store is open");
  }
}

function unlessMissing(error: unknown): undefined {
  const cause =
    error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  if (cause?.code !== "ENOENT") throw error;
}
