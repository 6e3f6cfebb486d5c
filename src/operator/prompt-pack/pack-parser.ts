import { Worker } from "node:worker_threads";
import {
  type ParsedPromptPack,
  parsePromptPack,
} from "../../promptpack/check/parse-prompt-pack.ts";
import type { Clock } from "../../time/clock.ts";
import { untilAborted } from "../../time/until-aborted.ts";

/** A longer text is parsed apart: YAML of a megabyte takes seconds, and the operator has to answer its probes meanwhile. */
export const MAX_INLINE_PACK_CHARACTERS = 16 * 1024;
/** How long one text may take. None is known that takes so long. */
export const PACK_PARSE_TIMEOUT_MS = 30_000;
/** A megabyte of YAML that people have written takes less, and the pod of the operator has room for it. */
export const MAX_PACK_THREAD_MEGABYTES = 64;
const YOUNG_MEGABYTES = 16;

// In development the sources run as they are. Users run a bundle, in which the thread is an entry of its own.
const THREAD = import.meta.url.endsWith(".ts") ? "./pack-thread.ts" : "./pack-thread.js";

export interface PackParserOptions {
  readonly clock: Pick<Clock, "setTimer">;
  /** Starts the thread. It answers each text with what was parsed. */
  readonly startThread?: () => Worker;
}

/** Parses the texts of PromptPacks without keeping the event loop busy. Large ones are parsed one after the other. */
export class PackParser {
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #startThread: () => Worker;
  #thread: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor({ clock, startThread = startPackThread }: PackParserOptions) {
    this.#clock = clock;
    this.#startThread = startThread;
  }

  async parse(text: string, signal: AbortSignal): Promise<ParsedPromptPack> {
    if (text.length <= MAX_INLINE_PACK_CHARACTERS) return parsePromptPack(text);
    this.#waiting += 1;
    const parsing = this.#last.then(async () => {
      try {
        signal.throwIfAborted();
        return await this.#parseApart(text);
      } finally {
        this.#waiting -= 1;
        // A thread with nothing to do takes memory all the same.
        if (this.#waiting === 0) this.#endThread();
      }
    });
    this.#last = parsing.catch(() => undefined);
    return await untilAborted(parsing, signal);
  }

  async #parseApart(text: string): Promise<ParsedPromptPack> {
    const thread = (this.#thread ??= this.#startThread());
    const { promise, resolve, reject } = Promise.withResolvers<ParsedPromptPack>();
    const onError = (error: NodeJS.ErrnoException): void => {
      this.#endThread();
      if (error.code !== "ERR_WORKER_OUT_OF_MEMORY") return reject(error);
      const problem = `needs more than ${MAX_PACK_THREAD_MEGABYTES} MB to check; make it smaller`;
      resolve(refusal(problem));
    };
    const onExit = (): void => onError(new Error("the thread that parses packs has ended"));
    const timer = this.#clock.setTimer(PACK_PARSE_TIMEOUT_MS, () => {
      this.#endThread();
      const seconds = PACK_PARSE_TIMEOUT_MS / 1000;
      resolve(refusal(`takes longer than ${seconds} seconds to check; make it smaller`));
    });
    thread.on("message", resolve).on("error", onError).on("exit", onExit);
    // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
    thread.postMessage(text);
    try {
      return await promise;
    } finally {
      timer.cancel();
      thread.off("message", resolve).off("error", onError).off("exit", onExit);
    }
  }

  #endThread(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    // An error that nobody hears would end the process.
    thread?.on("error", () => {});
    void thread?.terminate();
  }
}

function startPackThread(): Worker {
  return new Worker(new URL(THREAD, import.meta.url), {
    resourceLimits: {
      maxOldGenerationSizeMb: MAX_PACK_THREAD_MEGABYTES,
      maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
    },
  });
}

function refusal(problem: string): ParsedPromptPack {
  const message = `the pack ${problem}`;
  return { ok: false, reason: "InvalidPack", message, problems: [{ path: "", message: problem }] };
}
