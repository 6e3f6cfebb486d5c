/** Knows which tools that are given by URL are reachable. Each is probed when it is first asked for, and regularly from then on. */
import type { Clock } from "../time/clock.ts";
import {
  addressPolicy,
  type AddressPolicy,
  type AllowedAddresses,
} from "../network/address-verdict.ts";
import { probe, type ProbeResult } from "./probe.ts";

/** A tool is probed again after this time. */
const PROBE_INTERVAL_MS = 10_000;
const MAX_PROBES_AT_ONCE = 32;

export interface ToolProbesOptions {
  readonly clock: Clock;
  /** What may be connected to, besides public addresses. */
  readonly allowedAddresses: AllowedAddresses;
  /** Called with the owners whose results have changed. */
  readonly onChange: (owners: ReadonlySet<string>) => void;
  readonly intervalMs?: number | undefined;
}

interface KnownURL {
  readonly owners: Set<string>;
  result: ProbeResult | undefined;
  /** The first probe, while it is under way. */
  first: Promise<void> | undefined;
}

/** Probes only the URLs that an owner wants now. A URL that several owners want is probed once. */
export class ToolProbes {
  readonly #options: ToolProbesOptions;
  readonly #policy: AddressPolicy;
  readonly #known = new Map<string, KnownURL>();
  readonly #wanted = new Map<string, ReadonlySet<string>>();
  #someAreWanted = Promise.withResolvers<void>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: ToolProbesOptions) {
    this.#options = options;
    this.#policy = addressPolicy(options.allowedAddresses);
  }

  /**
   * Resolves to the results for these URLs, which from now on are all that the owner wants. A new URL is probed before that, so
   * that no tool is called unreachable by default.
   */
  async results(
    owner: string,
    urls: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ProbeResult>> {
    this.#want(owner, urls);
    const known = [...urls].map((url) => [url, this.#known.get(url)] as const);
    await Promise.all(known.map(async ([url, state]) => state && this.#first(url, state, signal)));
    return new Map(
      known.flatMap(([url, state]) =>
        state?.result === undefined ? [] : [[url, state.result] as const],
      ),
    );
  }

  /** Tells that the owner wants no URL any more. */
  forget(owner: string): void {
    this.#want(owner, new Set());
  }

  /** Probes all URLs regularly until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onChange, intervalMs = PROBE_INTERVAL_MS } = this.#options;
    const stop = (): void => this.#someAreWanted.resolve();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      if (this.#known.size === 0) {
        this.#someAreWanted = Promise.withResolvers();
        await this.#someAreWanted.promise;
        continue;
      }
      await clock.sleep(intervalMs, signal).catch(() => {});
      if (signal.aborted) break;
      const concerned = await this.#probeAll(signal);
      if (concerned.size > 0) onChange(concerned);
    }
    signal.removeEventListener("abort", stop);
  }

  #want(owner: string, urls: ReadonlySet<string>): void {
    for (const url of this.#wanted.get(owner) ?? []) {
      if (urls.has(url)) continue;
      const state = this.#known.get(url);
      state?.owners.delete(owner);
      if (state?.owners.size === 0) this.#known.delete(url);
    }
    for (const url of urls) {
      const state = this.#known.get(url);
      if (state !== undefined) state.owners.add(owner);
      else {
        this.#known.set(url, { owners: new Set([owner]), result: undefined, first: undefined });
      }
    }
    if (urls.size === 0) this.#wanted.delete(owner);
    else this.#wanted.set(owner, new Set(urls));
    if (this.#known.size > 0) this.#someAreWanted.resolve();
  }

  #first(url: string, state: KnownURL, signal: AbortSignal): Promise<void> | undefined {
    if (state.result !== undefined) return undefined;
    state.first ??= this.#probe(url, state, signal)
      .then(() => {})
      .finally(() => (state.first = undefined));
    return state.first;
  }

  /** The owners whom the changes concern. */
  async #probeAll(signal: AbortSignal): Promise<Set<string>> {
    const concerned = new Set<string>();
    await Promise.all(
      [...this.#known].map(async ([url, state]) => {
        if (!(await this.#probe(url, state, signal))) return;
        for (const owner of state.owners) concerned.add(owner);
      }),
    );
    return concerned;
  }

  /** Resolves to whether the result has changed. */
  async #probe(url: string, state: KnownURL, signal: AbortSignal): Promise<boolean> {
    if (this.#running >= MAX_PROBES_AT_ONCE) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      const isWanted = state.owners.size > 0;
      if (!isWanted || signal.aborted) return false;
      const result = await probe(url, this.#policy, signal);
      if (signal.aborted) return false;
      const before = state.result;
      state.result = result;
      return before?.reachable !== result.reachable || before.message !== result.message;
    } finally {
      // The place is handed to the next one that waits for it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
