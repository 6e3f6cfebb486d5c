/** Knows which tools the servers of the registries have. Each list is read when it is first asked for, and regularly from then on. */
import { isDeepStrictEqual } from "node:util";
import { exponentialBackoff, jittered } from "../../time/backoff.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { within } from "../../time/within.ts";
import { LIST_INTERVAL_MS, MAX_LIST_READ_MS, MAX_LISTS_READ_AT_ONCE } from "../server/limits.ts";
import type { ListReading } from "../server/read-list.ts";
import type { KnownList } from "./known-list.ts";

/** How much earlier than after the interval a list may be read, so that not all of them are read together. */
const JITTER = 0.1;
const RETRY = exponentialBackoff({ firstMs: 5_000, lastMs: 5 * 60_000 });

/** The server that an owner wants to know the list of. */
export interface ListSource {
  /** Which server it is. A list of another one says nothing of this one. */
  readonly server: string;
  /** All that the list depends on. When this changes, the list is read again at once. */
  readonly fingerprint: string;
  /** Whether the server can be connected to. While it cannot, it is left alone. */
  readonly isReachable: boolean;
  /** Rejects only when the signal is aborted, or for a fault of the program. */
  readonly read: (signal: AbortSignal) => Promise<ListReading>;
}

export interface ToolListReaderOptions {
  readonly clock: Clock;
  /** At least 0 and below 1; spreads what is read. */
  readonly random: () => number;
  /** Called with the owner of a list that has changed. */
  readonly onChange: (owner: string) => void;
  /** Called with what no server may cause. */
  readonly onError: (error: unknown) => void;
  /** @default LIST_INTERVAL_MS */
  readonly intervalMs?: number | undefined;
}

interface WantedList {
  readonly owner: string;
  source: ListSource;
  known: KnownList | undefined;
  failures: number;
  /** When it is read again. */
  timer: Timer | undefined;
  /** Ends the reading that is under way. */
  reading: AbortController | undefined;
}

/** Reads only the lists that an owner wants now, a few at a time. */
export class ToolListReader {
  readonly #options: ToolListReaderOptions;
  readonly #wanted = new Map<string, Map<string, WantedList>>();
  readonly #queue = new Set<WantedList>();
  readonly #reads = new Set<Promise<ListReading>>();
  #underWay = 0;
  /** Undefined while nothing is read. */
  #signal: AbortSignal | undefined;

  constructor(options: ToolListReaderOptions) {
    this.#options = options;
  }

  /**
   * What is known of the lists of these servers, which from now on are all that the owner wants. A list that was not read yet is
   * not among them; the owner is told when it was.
   */
  known(owner: string, sources: ReadonlyMap<string, ListSource>): ReadonlyMap<string, KnownList> {
    const before = this.#wanted.get(owner) ?? new Map<string, WantedList>();
    const wanted = new Map<string, WantedList>();
    for (const [name, source] of sources) {
      const list = before.get(name);
      before.delete(name);
      wanted.set(name, list === undefined ? this.#add(owner, source) : this.#renew(list, source));
    }
    for (const list of before.values()) this.#drop(list);
    if (wanted.size === 0) this.#wanted.delete(owner);
    else this.#wanted.set(owner, wanted);
    return new Map(
      [...wanted].flatMap(([name, { known }]) => (known === undefined ? [] : [[name, known]])),
    );
  }

  /** Tells that the owner wants no list any more. */
  forget(owner: string): void {
    this.known(owner, new Map());
  }

  /** Reads the lists until the signal is aborted, and then waits a short while for commands that it has started to end. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#readNext();
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    this.#signal = undefined;
    for (const list of [...this.#wanted.values()].flatMap((lists) => [...lists.values()])) {
      list.timer?.cancel();
      list.reading?.abort(signal.reason);
    }
    await within(READS_END_MS, Promise.allSettled(this.#reads), this.#options.clock);
  }

  #add(owner: string, source: ListSource): WantedList {
    const list: WantedList = {
      owner,
      source,
      known: undefined,
      failures: 0,
      timer: undefined,
      reading: undefined,
    };
    if (source.isReachable) this.#readSoon(list);
    return list;
  }

  #renew(list: WantedList, source: ListSource): WantedList {
    const { source: before } = list;
    list.source = source;
    if (source.server !== before.server) list.known = undefined;
    const isOther = source.fingerprint !== before.fingerprint || source.server !== before.server;
    if (isOther) {
      list.failures = 0;
      list.reading?.abort();
      list.reading = undefined;
    }
    if (!source.isReachable) {
      list.timer?.cancel();
      this.#queue.delete(list);
    } else if (isOther || !before.isReachable) this.#readSoon(list);
    return list;
  }

  #drop(list: WantedList): void {
    list.timer?.cancel();
    this.#queue.delete(list);
    list.reading?.abort();
    list.reading = undefined;
  }

  #readSoon(list: WantedList): void {
    list.timer?.cancel();
    if (list.reading !== undefined) return;
    this.#queue.add(list);
    this.#readNext();
  }

  #readNext(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    while (this.#underWay < MAX_LISTS_READ_AT_ONCE) {
      const list = this.#next();
      if (list === undefined) return;
      this.#queue.delete(list);
      this.#underWay += 1;
      void this.#read(list, signal).finally(() => {
        this.#underWay -= 1;
        this.#readNext();
      });
    }
  }

  /** Servers that do not answer take long, and keep no other waiting. */
  #next(): WantedList | undefined {
    const [first] = this.#queue;
    return this.#queue.values().find(({ failures }) => failures === 0) ?? first;
  }

  async #read(list: WantedList, signal: AbortSignal): Promise<void> {
    const { clock, onChange } = this.#options;
    const stop = new AbortController();
    list.reading = stop;
    const reading = await this.#readWithin(list.source, stop.signal);
    // Another source has taken its place, or nobody wants it any more.
    if (list.reading !== stop) return;
    list.reading = undefined;
    if (reading === undefined || signal.aborted) return;
    const before = list.known;
    const known = withEarlier(reading, before);
    const isChanged = !isDeepStrictEqual(before, known);
    if (isChanged) list.known = known;
    list.failures = reading.state === "read" ? 0 : list.failures + 1;
    if (list.source.isReachable) {
      list.timer = clock.setTimer(this.#pauseAfter(list), () => this.#readSoon(list));
    }
    if (isChanged) onChange(list.owner);
  }

  /** Undefined when the signal was aborted. */
  async #readWithin(source: ListSource, signal: AbortSignal): Promise<ListReading | undefined> {
    const { clock, onError } = this.#options;
    using deadline = new Deadline({ ms: MAX_LIST_READ_MS, clock, signal });
    try {
      const read = source.read(deadline.signal);
      this.#reads.add(read);
      void read.catch(() => {}).finally(() => this.#reads.delete(read));
      const reading = await untilAborted(read, deadline.signal);
      return signal.aborted ? undefined : reading;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!deadline.isOver) onError(error);
      return { state: "failed", reason: "Unreachable", message: deadline.isOver ? LATE : FAULT };
    }
  }

  #pauseAfter({ failures }: WantedList): number {
    const { random, intervalMs = LIST_INTERVAL_MS } = this.#options;
    const pauseMs = intervalMs * (1 - JITTER * random());
    return failures === 0 ? pauseMs : Math.min(pauseMs, jittered(RETRY, random)(failures));
  }
}

/** A command is killed within this time. */
const READS_END_MS = 6_000;
const LATE = `its list of tools was not read within ${MAX_LIST_READ_MS / 1000} seconds; see that the server answers`;
const FAULT = "its list of tools could not be read; the log says why";

function withEarlier(reading: ListReading, before: KnownList | undefined): KnownList {
  if (reading.state === "read") return reading;
  return { ...reading, before: before?.state === "failed" ? before.before : before };
}
