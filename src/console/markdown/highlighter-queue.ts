/**
 * Asks the worker to colour code, one piece after the other. The worker is started for the first piece. One that takes too long over a
 * piece is ended, and the piece stays plain: the rules of a language may be slow for a text that was made for it.
 */
import type { Clock, Timer } from "../../time/clock.ts";
import {
  languageOf,
  type CodeToken,
  type HighlightAnswer,
  type HighlightRequest,
} from "./highlighted-languages.ts";

const LIMIT_MS = 2_000;
/** A worker that is not needed is ended after this time. */
const IDLE_MS = 30_000;
/** The most pieces that wait. More of them stay plain until they are seen again. */
const MAX_WAITING = 200;

export interface HighlightWorker {
  postMessage(request: HighlightRequest): void;
  terminate(): void;
  addEventListener(type: "message", listener: (event: { data: HighlightAnswer }) => void): void;
  addEventListener(type: "error", listener: () => void): void;
}

interface Piece {
  readonly request: HighlightRequest;
  readonly signal: AbortSignal;
  readonly resolve: (tokens: readonly CodeToken[] | undefined) => void;
}

export class Highlighter {
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #start: () => HighlightWorker;
  readonly #waiting: Piece[] = [];
  #worker: HighlightWorker | undefined;
  #current: Piece | undefined;
  #timer: Timer | undefined;
  #lastId = 0;

  constructor(options: { clock: Pick<Clock, "setTimer">; start: () => HighlightWorker }) {
    this.#clock = options.clock;
    this.#start = options.start;
  }

  /** Undefined where the code is to stay plain. `name` is the one behind the fence. */
  async highlight(
    name: string,
    code: string,
    signal: AbortSignal,
  ): Promise<readonly CodeToken[] | undefined> {
    const language = languageOf(name);
    if (language === undefined || this.#waiting.length >= MAX_WAITING) return undefined;
    this.#lastId += 1;
    const request = { id: this.#lastId, language, code };
    const { promise, resolve } = Promise.withResolvers<readonly CodeToken[] | undefined>();
    this.#waiting.push({ request, signal, resolve });
    this.#next();
    return promise;
  }

  #next(): void {
    if (this.#current !== undefined) return;
    this.#timer?.cancel();
    const piece = this.#waiting.shift();
    if (piece === undefined) {
      this.#timer = this.#clock.setTimer(IDLE_MS, () => this.#end());
      return;
    }
    if (piece.signal.aborted) {
      piece.resolve(undefined);
      this.#next();
      return;
    }
    this.#current = piece;
    const worker = (this.#worker ??= this.#begin());
    this.#timer = this.#clock.setTimer(LIMIT_MS, () => this.#failed());
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    worker.postMessage(piece.request);
  }

  #begin(): HighlightWorker {
    const worker = this.#start();
    worker.addEventListener("message", ({ data }) => {
      if (data.id === this.#current?.request.id) this.#settle(data.tokens);
    });
    worker.addEventListener("error", () => this.#failed());
    return worker;
  }

  #failed(): void {
    this.#end();
    this.#settle(undefined);
  }

  #settle(tokens: readonly CodeToken[] | undefined): void {
    this.#current?.resolve(tokens);
    this.#current = undefined;
    this.#next();
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
