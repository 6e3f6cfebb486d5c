import { Worker } from "node:worker_threads";
import {
  type ParsedPromptPack,
  parsePromptPack,
} from "../../promptpack/check/parse-prompt-pack.ts";
import type { Clock } from "../../time/clock.ts";
import { LimitedThread, OUT_OF_MEMORY } from "../../time/limited-thread.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { LATE } from "../../time/within.ts";

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
  readonly #thread: LimitedThread<string, ParsedPromptPack>;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor({ clock, startThread = startPackThread }: PackParserOptions) {
    const timeoutMs = PACK_PARSE_TIMEOUT_MS;
    this.#thread = new LimitedThread({
      work: "parses packs",
      start: startThread,
      clock,
      timeoutMs,
    });
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
        if (this.#waiting === 0) this.#thread.end();
      }
    });
    this.#last = parsing.catch(() => undefined);
    return await untilAborted(parsing, signal);
  }

  async #parseApart(text: string): Promise<ParsedPromptPack> {
    const parsed = await this.#thread.ask(text);
    if (parsed === OUT_OF_MEMORY) {
      const needed = `more than ${MAX_PACK_THREAD_MEGABYTES} MB`;
      return refusal(`needs ${needed} to check; make it smaller`);
    }
    if (parsed === LATE) {
      const seconds = PACK_PARSE_TIMEOUT_MS / 1000;
      return refusal(`takes longer than ${seconds} seconds to check; make it smaller`);
    }
    return parsed;
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
