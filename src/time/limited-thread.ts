import type { Worker } from "node:worker_threads";
import type { Clock } from "./clock.ts";
import { LATE } from "./within.ts";

export const OUT_OF_MEMORY = Symbol("out of memory");

/**
 * A thread for work that would keep the event loop busy. It answers each message with one message. It is started when there is
 * work, and ended when it needs too long or too much memory, because nothing else stops it.
 */
export class LimitedThread<Input, Output> {
  readonly #work: string;
  readonly #start: () => Worker;
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #timeoutMs: number;
  #thread: Worker | undefined;

  constructor(options: {
    /** What the thread does, for the error when it fails: "parses packs". */
    readonly work: string;
    readonly start: () => Worker;
    readonly clock: Pick<Clock, "setTimer">;
    readonly timeoutMs: number;
  }) {
    this.#work = options.work;
    this.#start = options.start;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Rejects when the thread fails or has ended. Not to be called again before it has settled, or the thread was ended. */
  async ask(input: Input): Promise<Output | typeof LATE | typeof OUT_OF_MEMORY> {
    const thread = (this.#thread ??= this.#start());
    const { promise, resolve, reject } = Promise.withResolvers<
      Output | typeof LATE | typeof OUT_OF_MEMORY
    >();
    const onError = (error: NodeJS.ErrnoException): void => {
      if (this.#thread === thread) this.end();
      if (error.code === "ERR_WORKER_OUT_OF_MEMORY") resolve(OUT_OF_MEMORY);
      else reject(error);
    };
    const onExit = (): void => onError(new Error(`the thread that ${this.#work} has ended`));
    const timer = this.#clock.setTimer(this.#timeoutMs, () => {
      if (this.#thread === thread) this.end();
      resolve(LATE);
    });
    thread.on("message", resolve).on("error", onError).on("exit", onExit);
    // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
    thread.postMessage(input);
    try {
      return await promise;
    } finally {
      timer.cancel();
      thread.off("message", resolve).off("error", onError).off("exit", onExit);
    }
  }

  /** Ends the thread: one with nothing to do takes memory all the same. The next work starts another. */
  end(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    // An error that nobody hears would end the process.
    thread?.on("error", () => {});
    void thread?.terminate();
  }
}
