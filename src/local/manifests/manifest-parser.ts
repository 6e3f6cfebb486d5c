import { Worker } from "node:worker_threads";
import { parseManifests, type Manifests } from "../../api/manifest/manifest.ts";
import type { Clock } from "../../time/clock.ts";
import { LimitedThread, OUT_OF_MEMORY } from "../../time/limited-thread.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { LATE } from "../../time/within.ts";
import { fromPlain, type PlainManifests } from "./plain-manifests.ts";

/** A longer text is parsed in a thread of its own: YAML of a megabyte may take a second, and clients are served meanwhile. */
export const MAX_INLINE_CHARACTERS = 32 * 1024;
/** How long one text may take. None is known that takes so long. */
export const PARSE_TIMEOUT_MS = 30_000;
/** The most values that a file may hold take half of it. */
const MAX_THREAD_MEGABYTES = 512;

// In development the sources run as they are. Users run a bundle, in which the thread is an entry of its own.
const THREAD = import.meta.url.endsWith(".ts") ? "./manifest-thread.ts" : "./manifest-thread.js";

export interface ManifestParserOptions {
  readonly clock: Pick<Clock, "setTimer">;
  /** When it is aborted, whatever is being parsed rejects with its reason. */
  readonly signal: AbortSignal;
  /** Starts the thread. It answers each text with what was parsed. */
  readonly startThread?: (() => Worker) | undefined;
}

/** Parses manifests without keeping the event loop busy, one text after the other. */
export class ManifestParser {
  readonly #signal: AbortSignal;
  readonly #thread: LimitedThread<{ text: string; file: string }, PlainManifests>;

  constructor({ clock, signal, startThread = startManifestThread }: ManifestParserOptions) {
    this.#signal = signal;
    this.#thread = new LimitedThread({
      work: "parses manifests",
      start: startThread,
      clock,
      timeoutMs: PARSE_TIMEOUT_MS,
    });
  }

  /** `file` only labels the problems and the resources. Not to be called again before it has settled. */
  async parse(text: string, file: string): Promise<Manifests> {
    if (text.length <= MAX_INLINE_CHARACTERS) return parseManifests(text, file);
    this.#signal.throwIfAborted();
    let parsed: PlainManifests | typeof LATE | typeof OUT_OF_MEMORY;
    try {
      parsed = await untilAborted(this.#thread.ask({ text, file }), this.#signal);
    } catch (error) {
      this.rest();
      throw error;
    }
    if (parsed === OUT_OF_MEMORY) {
      return refusal(file, `needs more than ${MAX_THREAD_MEGABYTES} MB to read; split it`);
    }
    if (parsed === LATE) {
      const seconds = PARSE_TIMEOUT_MS / 1_000;
      return refusal(file, `takes longer than ${seconds} seconds to read; split it`);
    }
    return fromPlain(parsed);
  }

  /** Ends the thread, because one with nothing to do takes memory all the same. The next large text starts another. */
  rest(): void {
    this.#thread.end();
  }
}

function startManifestThread(): Worker {
  return new Worker(new URL(THREAD, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: MAX_THREAD_MEGABYTES },
  });
}

function refusal(file: string, problem: string): Manifests {
  const message = `the file ${problem}`;
  return {
    resources: [],
    problems: [{ file, line: 1, column: 1, severity: "error", message }],
    declared: 0,
  };
}
