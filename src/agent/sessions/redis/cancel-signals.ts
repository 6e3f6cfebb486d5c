/**
 * Cancels that other processes ask for. Each process has a stream of its own in Redis. A process that wants a turn of another
 * one stopped adds the turn's id to that stream, which is read over the connection that waits for frames anyway. A signal may
 * be lost: the next write of the turn, or the renewal of its lease, tells of the cancel too.
 */
import type { Clock, Timer } from "../../../time/clock.ts";
import type { FrameFeed, RedisFrameReader } from "./frame-reader.ts";
import { ENTRY_KINDS } from "./script/stream-entry.ts";

/** Turns that are shorter than this never cost a read. What was signalled meanwhile is read then. */
const LISTEN_AFTER_MS = 100;
/** The signals are no longer read when this process has run no turn for so long. */
const IDLE_MS = 10_000;

export class RedisCancelSignals {
  readonly #reader: RedisFrameReader;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #listeners = new Map<string, () => void>();
  readonly #closing = new AbortController();
  #position = "0-0";
  #start: Timer | undefined;
  #isListening = false;

  constructor(options: { reader: RedisFrameReader; clock: Clock; key: string }) {
    this.#reader = options.reader;
    this.#clock = options.clock;
    this.#key = options.key;
  }

  /** Returns the function that ends the listening. */
  listen(turnId: string, listener: () => void): () => void {
    this.#listeners.set(turnId, listener);
    if (!this.#isListening && !this.#closing.signal.aborted) {
      this.#start ??= this.#clock.setTimer(LISTEN_AFTER_MS, () => {
        this.#start = undefined;
        if (this.#listeners.size > 0) void this.#read();
      });
    }
    return () => {
      if (this.#listeners.get(turnId) === listener) this.#listeners.delete(turnId);
    };
  }

  /** The turn is to be cancelled; nothing happens when it does not run here. */
  tell(turnId: string): void {
    this.#listeners.get(turnId)?.();
  }

  close(): void {
    this.#closing.abort();
    this.#start?.cancel();
  }

  async #read(): Promise<void> {
    this.#isListening = true;
    const { signal } = this.#closing;
    while (!signal.aborted && this.#listeners.size > 0) {
      const feed = this.#open();
      if (feed === undefined) break;
      try {
        const entries = await feed.next(IDLE_MS, signal);
        for (const { kind, value } of entries ?? []) {
          if (kind === ENTRY_KINDS.cancel) this.tell(value);
        }
      } finally {
        this.#position = feed.position;
        feed.close();
      }
    }
    this.#isListening = false;
  }

  /** Undefined when too much is followed: then the turns' own writes tell. */
  #open(): FrameFeed | undefined {
    try {
      return this.#reader.open(this.#key, this.#position);
    } catch {
      return undefined;
    }
  }
}
