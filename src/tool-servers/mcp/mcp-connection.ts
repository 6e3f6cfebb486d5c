import type { Clock, Timer } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { MCP_IDLE_MS, MCP_RETIRED_MS } from "../server/limits.ts";
import {
  connectLimit,
  openMcpClient,
  type McpClient,
  type McpClientOptions,
} from "./mcp-client.ts";
import { causeOf, McpError } from "./mcp-error.ts";
import { type CalledFor, OpenStreams } from "./open-streams.ts";

export type McpConnectionOptions = Pick<
  McpClientOptions,
  "server" | "transport" | "readSecret" | "log" | "onToolsChanged" | "onUnusable"
> & { readonly clock: Clock };

/** What went wrong before anything was asked of the server. */
export class McpConnectError extends Error {
  override readonly name = "McpConnectError";
}

/** One client, with the calls that it has under way. */
interface Live {
  readonly opened: Promise<McpClient>;
  readonly calls: Set<OpenStreams>;
  /** No new call is made with it. */
  isDropped: boolean;
}

/**
 * The one client of a server, which all sessions of a replica share. It is opened when it is first needed, again when the server has
 * lost it, and closed when nobody used it for a while.
 */
export class McpConnection {
  readonly #options: McpConnectionOptions;
  #live: Live | undefined;
  #secrets: readonly string[] = [];
  #lastUsed = 0;
  #idleTimer: Timer | undefined;
  readonly #closed = new AbortController();
  /** `undefined`: it stays open, since a command may hold what the next call needs. */
  #idleMs: number | undefined;

  constructor(options: McpConnectionOptions) {
    this.#options = options;
    if (options.server.mcp?.transport !== "stdio") this.#idleMs = MCP_IDLE_MS;
  }

  /** What must not come back in an answer. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  /**
   * Works with the client. The work gets a signal, which also aborts when the server breaks off. Where the server says that it does
   * not know the session, it has not looked at the request, and the work is done once more with a new client.
   */
  async run<T>(
    signal: AbortSignal,
    work: (client: McpClient, signal: AbortSignal) => Promise<T>,
    calledFor?: CalledFor,
  ): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const live = this.#current();
      const client = await this.#opened(live, signal);
      const streams = new OpenStreams(this.#options.clock, signal, calledFor);
      live.calls.add(streams);
      try {
        return await streams.run(() => work(client, streams.signal));
      } catch (error) {
        signal.throwIfAborted();
        if (streams.failure !== undefined) throw streams.failure;
        if (!hasLostSession(error, client) || tries > 1) throw error;
        this.#drop(live);
      } finally {
        streams[Symbol.dispose]();
        live.calls.delete(streams);
        this.#lastUsed = this.#options.clock.monotonic();
        if (live.isDropped) this.#closeWhenUnused(live);
      }
    }
  }

  /** It belongs to no tool any more: it is closed soon after the last call, also where it is a command. */
  retire(): void {
    this.#idleMs = MCP_RETIRED_MS;
    if (this.#live !== undefined) this.#closeWhenIdle();
  }

  /** Does not wait for a server that does not answer. */
  async close(): Promise<void> {
    this.#closed.abort(new McpError("broken_off"));
    this.#idleTimer?.cancel();
    const live = this.#live;
    this.#live = undefined;
    if (live !== undefined) await closeLive(live);
  }

  #current(): Live {
    const { signal } = this.#closed;
    if (signal.aborted) throw new McpConnectError("closed", { cause: signal.reason });
    this.#live ??= this.#open();
    return this.#live;
  }

  #open(): Live {
    const { clock, server } = this.#options;
    const deadline = new Deadline({ ms: connectLimit(server), clock, signal: this.#closed.signal });
    const live: Live = {
      calls: new Set(),
      isDropped: false,
      opened: openMcpClient({
        ...this.#options,
        signal: deadline.signal,
        onSecrets: (secrets) => {
          this.#secrets = secrets;
        },
        onClosed: () => this.#onClosed(live),
      }).finally(() => deadline[Symbol.dispose]()),
    };
    live.opened.catch(() => this.#drop(live));
    this.#lastUsed = clock.monotonic();
    this.#closeWhenIdle();
    return live;
  }

  async #opened(live: Live, signal: AbortSignal): Promise<McpClient> {
    try {
      return await untilAborted(live.opened, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new McpConnectError("could not connect", { cause: error });
    }
  }

  /** Where all answers come over the stream that has ended, none comes any more. */
  #onClosed(live: Live): void {
    this.#drop(live);
    if (this.#options.server.mcp?.transport !== "sse") return;
    for (const call of live.calls) call.fail(new McpError("broken_off"));
  }

  #drop(live: Live): void {
    if (live.isDropped) return;
    live.isDropped = true;
    if (this.#live === live) this.#live = undefined;
    // Nobody was told of changes that came in the meantime.
    this.#options.onToolsChanged();
    this.#closeWhenUnused(live);
  }

  #closeWhenUnused(live: Live): void {
    if (live.calls.size === 0) void closeLive(live);
  }

  #closeWhenIdle(): void {
    const { clock } = this.#options;
    const idleMs = this.#idleMs;
    this.#idleTimer?.cancel();
    if (idleMs === undefined) return;
    const leftMs = this.#lastUsed + idleMs - clock.monotonic();
    this.#idleTimer = clock.setTimer(Math.max(leftMs, 0), () => {
      const live = this.#live;
      if (live === undefined) return;
      if (live.calls.size > 0) this.#lastUsed = clock.monotonic();
      if (clock.monotonic() - this.#lastUsed >= idleMs) this.#drop(live);
      else this.#closeWhenIdle();
    });
  }
}

async function closeLive(live: Live): Promise<void> {
  try {
    const client = await live.opened;
    await client.close();
  } catch {
    // It was never open, or the other side was faster.
  }
}

function hasLostSession(error: unknown, client: McpClient): boolean {
  const cause = causeOf(error);
  if (cause === undefined || !("status" in cause)) return false;
  return cause.status === 404 || (cause.status === 400 && client.hasSession());
}
