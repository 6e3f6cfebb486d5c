import { Worker } from "node:worker_threads";
import { parseManifests, type Manifests } from "../../api/manifest/manifest.ts";
import type { Clock } from "../../time/clock.ts";
import { untilAborted } from "../../time/until-aborted.ts";
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
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #signal: AbortSignal;
  readonly #startThread: () => Worker;
  #thread: Worker | undefined;

  constructor({ clock, signal, startThread = startManifestThread }: ManifestParserOptions) {
    this.#clock = clock;
    this.#signal = signal;
    this.#startThread = startThread;
  }

  /** `file` only labels the problems and the resources. Not to be called again before it has settled. */
  async parse(text: string, file: string): Promise<Manifests> {
    if (text.length <= MAX_INLINE_CHARACTERS) return parseManifests(text, file);
    this.#signal.throwIfAborted();
    const thread = (this.#thread ??= this.#startThread());
    const { promise, resolve, reject } = Promise.withResolvers<Manifests>();
    const onMessage = (plain: PlainManifests): void => resolve(fromPlain(plain));
    const onError = (error: NodeJS.ErrnoException): void => {
      this.rest();
      if (error.code !== "ERR_WORKER_OUT_OF_MEMORY") reject(error);
      else resolve(refusal(file, `needs more than ${MAX_THREAD_MEGABYTES} MB to read; split it`));
    };
    const onExit = (): void => onError(new Error("the thread that parses manifests has ended"));
    const timer = this.#clock.setTimer(PARSE_TIMEOUT_MS, () => {
      this.rest();
      const seconds = PARSE_TIMEOUT_MS / 1_000;
      resolve(refusal(file, `takes longer than ${seconds} seconds to read; split it`));
    });
    thread.on("message", onMessage).on("error", onError).on("exit", onExit);
    // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
    thread.postMessage({ text, file });
    try {
      return await untilAborted(promise, this.#signal);
    } catch (error) {
      this.rest();
      throw error;
    } finally {
      timer.cancel();
      thread.off("message", onMessage).off("error", onError).off("exit", onExit);
    }
  }

  /** Ends the thread, because one with nothing to do takes memory all the same. The next large text starts another. */
  rest(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    // An error that nobody hears would end the process.
    thread?.on("error", () => {});
    void thread?.terminate();
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
