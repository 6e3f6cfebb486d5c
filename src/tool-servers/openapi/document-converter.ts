import { Worker } from "node:worker_threads";
import type { Clock } from "../../time/clock.ts";
import { LimitedThread, OUT_OF_MEMORY } from "../../time/limited-thread.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { LATE } from "../../time/within.ts";
import {
  MAX_INLINE_OPENAPI_CHARACTERS,
  MAX_OPENAPI_THREAD_MEGABYTES,
  OPENAPI_CONVERT_TIMEOUT_MS,
} from "../server/limits.ts";
import { convertDocument } from "./convert-document.ts";
import type { ConvertOptions } from "./convert-operations.ts";
import type { OpenApiReading } from "./openapi-list.ts";

export interface DocumentToConvert {
  readonly text: string;
  readonly options: ConvertOptions;
}

const YOUNG_MEGABYTES = 16;
// In development the sources run as they are. Users run a bundle, in which the thread is an entry of its own.
const THREAD = import.meta.url.endsWith(".ts") ? "./document-thread.ts" : "./document-thread.js";

/**
 * Converts documents without keeping the event loop busy, and in a memory of their own: sixteen megabytes of JSON may be many times
 * as much in memory. Large ones are converted one after the other.
 */
export class DocumentConverter {
  readonly #startThread: () => Worker;
  #last: Promise<unknown> = Promise.resolve();

  /** `startThread` starts a thread that answers each document with what it offers. */
  constructor(startThread: () => Worker = startDocumentThread) {
    this.#startThread = startThread;
  }

  /** Rejects with the reason of the signal when that is aborted. */
  async convert(
    document: DocumentToConvert,
    clock: Pick<Clock, "setTimer">,
    signal: AbortSignal,
  ): Promise<OpenApiReading> {
    const { text, options } = document;
    if (text.length <= MAX_INLINE_OPENAPI_CHARACTERS) return await convertDocument(text, options);
    const converting = this.#last.then(async () => {
      signal.throwIfAborted();
      return await this.#convertApart(document, clock, signal);
    });
    this.#last = converting.catch(() => undefined);
    return await untilAborted(converting, signal);
  }

  async #convertApart(
    document: DocumentToConvert,
    clock: Pick<Clock, "setTimer">,
    signal: AbortSignal,
  ): Promise<OpenApiReading> {
    const thread = new LimitedThread<DocumentToConvert, OpenApiReading>({
      work: "converts OpenAPI documents",
      start: this.#startThread,
      clock,
      timeoutMs: OPENAPI_CONVERT_TIMEOUT_MS,
    });
    try {
      const reading = await untilAborted(thread.ask(document), signal);
      if (reading === OUT_OF_MEMORY) {
        return refusal(`needs more than ${MAX_OPENAPI_THREAD_MEGABYTES} MB to be read`);
      }
      if (reading === LATE) {
        return refusal(`takes longer than ${OPENAPI_CONVERT_TIMEOUT_MS / 1000} seconds to be read`);
      }
      return reading;
    } finally {
      thread.end();
    }
  }
}

function startDocumentThread(): Worker {
  return new Worker(new URL(THREAD, import.meta.url), {
    resourceLimits: {
      maxOldGenerationSizeMb: MAX_OPENAPI_THREAD_MEGABYTES,
      maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
    },
  });
}

function refusal(problem: string): OpenApiReading {
  const message = `its document ${problem}; give a smaller one`;
  return { state: "failed", reason: "InvalidTool", message };
}
