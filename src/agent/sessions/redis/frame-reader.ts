/**
 * Follows the frame streams of many sessions: over one connection that waits inside Redis (XREAD BLOCK), or, where Redis does
 * not allow that, by asking for news of each.
 */
import type { Clock } from "../../../time/clock.ts";
import { COMMAND_TIMEOUT_MS, type RedisLink } from "./server-link.ts";
import { compareEntryIds, parseEntries, type StreamEntry } from "./script/stream-entry.ts";
import { StoreUnavailableError } from "../session-store.ts";

export const MAX_FOLLOWERS = 10_000;
/** One read waits this long for something to come; a stream that could not be added at once is added after it. */
const BLOCK_MS = 1_000;
const MAX_ENTRIES_PER_READ = 128;
/** Bytes that are kept for a follower that does not take them. When there are more, it reads for itself from where it was. */
const MAX_BUFFERED_BYTES = 512 * 1024;
/** Reads are kept apart by this time, and by a little more for each stream, because a read of more streams costs Redis more. */
const READ_INTERVAL_MS = 5;
const READ_INTERVAL_PER_STREAM_MS = 0.02;
/** The same where no connection waits: a person does not notice it, and Redis gets no more than about 4,000 commands a second. */
const ASK_INTERVAL_MS = 25;
const ASK_INTERVAL_PER_STREAM_MS = 0.25;
const RETRY_AFTER_FAILURE_MS = 250;
const UNBLOCK_ATTEMPTS = 3;
const UNBLOCK_RETRY_MS = 5;

export interface FrameReaderOptions {
  /** Carries short commands. */
  commands: RedisLink;
  /** Makes the connection that waits, when there is something to follow for the first time. Undefined: none may wait. */
  connect: (() => RedisLink) | undefined;
  clock: Clock;
}

export class RedisFrameReader {
  readonly #commands: RedisLink;
  readonly #connect: (() => RedisLink) | undefined;
  readonly #clock: Clock;
  readonly #feeds = new Map<string, Set<FrameFeed>>();
  readonly #closing = new AbortController();
  #followers = 0;
  #link: RedisLink | undefined;
  #isReading = false;
  /** Grows with every read. */
  #read = 0;
  #isWaiting = false;
  #isUnblocking = false;
  #clientId: { epoch: number; id: string } | undefined;

  constructor(options: FrameReaderOptions) {
    this.#commands = options.commands;
    this.#connect = options.connect;
    this.#clock = options.clock;
  }

  /** Follows the stream from behind the entry with this id. The feed must be closed. */
  open(key: string, afterId: string): FrameFeed {
    if (this.#closing.signal.aborted) {
      throw new StoreUnavailableError("the session store is closed");
    }
    if (this.#followers >= MAX_FOLLOWERS) {
      throw new StoreUnavailableError("too many running turns are followed by this process");
    }
    const feed = new FrameFeed(this.#clock, afterId, () => this.#remove(key, feed));
    const feeds = this.#feeds.get(key) ?? new Set();
    feeds.add(feed);
    this.#feeds.set(key, feeds);
    this.#followers += 1;
    if (!this.#isReading) void this.#readAll();
    else if (this.#isWaiting) void this.#unblock();
    return feed;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const feeds of this.#feeds.values()) for (const feed of feeds) feed.interrupt();
    await this.#link?.close({ drain: false });
  }

  #remove(key: string, feed: FrameFeed): void {
    const feeds = this.#feeds.get(key);
    if (feeds?.delete(feed) !== true) return;
    this.#followers -= 1;
    if (feeds.size === 0) this.#feeds.delete(key);
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    const { signal } = this.#closing;
    this.#link ??= this.#connect?.();
    const link = this.#link;
    const [least, perStream] =
      link === undefined
        ? [ASK_INTERVAL_MS, ASK_INTERVAL_PER_STREAM_MS]
        : [READ_INTERVAL_MS, READ_INTERVAL_PER_STREAM_MS];
    while (this.#feeds.size > 0 && !signal.aborted) {
      const begun = this.#clock.monotonic();
      try {
        if (link === undefined) await this.#askOnce();
        else await this.#readOnce(link);
      } catch {
        // Then each follower reads for itself, and learns from that what is the matter.
        await this.#clock.sleep(RETRY_AFTER_FAILURE_MS, signal).catch(() => {});
        for (const feeds of this.#feeds.values()) for (const feed of feeds) feed.interrupt();
        continue;
      }
      const interval = least + perStream * this.#feeds.size;
      const rest = interval - (this.#clock.monotonic() - begun);
      if (rest > 0) await this.#clock.sleep(rest, signal).catch(() => {});
    }
    this.#isReading = false;
  }

  async #readOnce(link: RedisLink): Promise<void> {
    if (this.#clientId?.epoch !== link.epoch) await this.#learnClientId(link);
    const keys = [...this.#feeds.keys()];
    const ids = [...this.#feeds.values()].map((feeds) =>
      [...feeds].map((feed) => feed.position).reduce(earlier),
    );
    if (keys.length === 0) return;
    const limits = ["COUNT", String(MAX_ENTRIES_PER_READ), "BLOCK", String(BLOCK_MS)];
    this.#read += 1;
    this.#isWaiting = true;
    let reply: unknown;
    try {
      reply = await link.execute(["XREAD", ...limits, "STREAMS", ...keys, ...ids], {
        timeoutMs: BLOCK_MS + COMMAND_TIMEOUT_MS,
      });
    } finally {
      this.#isWaiting = false;
    }
    this.#take(reply);
  }

  async #askOnce(): Promise<void> {
    await Promise.all(
      [...this.#feeds].map(async ([key, feeds]) => {
        const after = [...feeds].map((feed) => feed.position).reduce(earlier);
        const limits = ["COUNT", String(MAX_ENTRIES_PER_READ)];
        this.#take(await this.#commands.execute(["XREAD", ...limits, "STREAMS", key, after]));
      }),
    );
  }

  #take(reply: unknown): void {
    if (!Array.isArray(reply)) return;
    for (const [key, entries] of reply as [string, unknown][]) {
      const parsed = parseEntries(entries);
      for (const feed of this.#feeds.get(key) ?? []) feed.push(parsed);
    }
  }

  async #learnClientId(link: RedisLink): Promise<void> {
    const id = await link.execute(["CLIENT", "ID"]).catch(() => undefined);
    this.#clientId = typeof id === "number" ? { epoch: link.epoch, id: String(id) } : undefined;
  }

  /** Ends the read that is waiting, so that the next one has the new stream. A user may lack the right: then it waits. */
  async #unblock(): Promise<void> {
    if (this.#clientId === undefined || this.#isUnblocking) return;
    this.#isUnblocking = true;
    const read = this.#read;
    for (let attempt = 0; attempt < UNBLOCK_ATTEMPTS && this.#read === read; attempt++) {
      if (attempt > 0) await this.#clock.sleep(UNBLOCK_RETRY_MS);
      const unblocked = await this.#commands
        .execute(["CLIENT", "UNBLOCK", this.#clientId.id])
        .catch(() => 1);
      // 0 means that the read was still on its way to Redis.
      if (unblocked !== 0) break;
    }
    this.#isUnblocking = false;
  }
}

function earlier(a: string, b: string): string {
  return compareEntryIds(a, b) <= 0 ? a : b;
}

/** The entries that came into one stream, for one follower. */
export class FrameFeed {
  readonly #clock: Clock;
  readonly #onClose: () => void;
  #position: string;
  #entries: StreamEntry[] = [];
  #bytes = 0;
  #isInterrupted = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock, afterId: string, onClose: () => void) {
    this.#clock = clock;
    this.#position = afterId;
    this.#onClose = onClose;
  }

  /** The id of the last entry that was handed in. */
  get position(): string {
    return this.#position;
  }

  push(entries: readonly StreamEntry[]): void {
    for (const entry of entries) {
      if (compareEntryIds(entry.id, this.#position) <= 0) continue;
      this.#position = entry.id;
      this.#entries.push(entry);
      this.#bytes += entry.value.length;
    }
    if (this.#bytes > MAX_BUFFERED_BYTES) this.interrupt();
    else if (this.#entries.length > 0) this.#wake?.();
  }

  /** Ends the feed: what it holds is dropped, and its follower reads for itself. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#entries = [];
    this.close();
    this.#wake?.();
  }

  /**
   * The entries that came; resolves with `undefined` when the time is over or the feed was interrupted, and the
   * follower should look at the session again.
   */
  async next(timeoutMs: number, signal: AbortSignal): Promise<StreamEntry[] | undefined> {
    if (this.#entries.length === 0 && !this.#isInterrupted && !signal.aborted) {
      const woken = Promise.withResolvers<void>();
      const wake = (): void => woken.resolve();
      const timer = this.#clock.setTimer(timeoutMs, wake);
      signal.addEventListener("abort", wake, { once: true });
      this.#wake = wake;
      await woken.promise;
      timer.cancel();
      signal.removeEventListener("abort", wake);
      this.#wake = undefined;
    }
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    return entries.length > 0 ? entries : undefined;
  }

  close(): void {
    this.#onClose();
  }
}
