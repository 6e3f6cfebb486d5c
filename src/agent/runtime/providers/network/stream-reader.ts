import type { Readable } from "node:stream";
import { MAX_UNREAD_ANSWER_BYTES } from "../../../contracts/limits.ts";
import type { AnswerRead, AnswerReader } from "./provider-answer.ts";

const END: AnswerRead = { done: true };

/** What is told of the reading. */
export interface ReadObserver {
  /** So many bytes are about to be read. Answers whether they may be; otherwise it has cancelled or aborted the reader. */
  onRead(bytes: number): boolean;
  /** The stream has come to its end, or has failed. */
  onEnd(): void;
}

/**
 * Reads a stream of Node piece by piece. Pieces that have come before they are asked for are read as one. There is one promise for a
 * piece and nothing else, since an answer has many pieces.
 */
export class StreamReader implements AnswerReader {
  readonly #stream: Readable;
  readonly #observer: ReadObserver;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #hasEnded = false;
  #error: Error | undefined;
  #resolve: ((read: AnswerRead) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  readonly #wait = (
    resolve: (read: AnswerRead) => void,
    reject: (error: unknown) => void,
  ): void => {
    this.#resolve = resolve;
    this.#reject = reject;
  };

  constructor(stream: Readable, observer: ReadObserver) {
    this.#stream = stream;
    this.#observer = observer;
    stream.on("data", (piece: Buffer) => this.#take(piece));
    stream.once("end", () => this.#end());
    stream.on("error", (cause) => this.#fail(new TypeError("terminated", { cause })));
    // It has neither ended nor failed when it was destroyed.
    stream.once("close", () => this.#fail(new TypeError("terminated")));
  }

  read(): Promise<AnswerRead> {
    if (this.#pieces.length > 0) {
      const value = this.#takeWaiting();
      if (this.#observer.onRead(value.length)) return Promise.resolve({ done: false, value });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#hasEnded) return Promise.resolve(END);
    return new Promise(this.#wait);
  }

  cancel(): Promise<void> {
    this.#pieces = [];
    this.#end();
    this.#stream.destroy();
    return Promise.resolve();
  }

  /** Nothing more is read: the next piece is this error. */
  abort(error: Error): void {
    if (this.#pieces.length > 0) this.#hasEnded = false;
    this.#pieces = [];
    this.#fail(error);
    this.#stream.destroy();
  }

  #take(piece: Buffer): void {
    if (this.#resolve === undefined) {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      if (this.#bytes >= MAX_UNREAD_ANSWER_BYTES) this.#stream.pause();
      return;
    }
    if (!this.#observer.onRead(piece.length)) return;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#reject = undefined;
    resolve({ done: false, value: piece });
  }

  #takeWaiting(): Buffer {
    const [first] = this.#pieces;
    const waiting =
      first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    if (this.#bytes >= MAX_UNREAD_ANSWER_BYTES) this.#stream.resume();
    this.#pieces = [];
    this.#bytes = 0;
    return waiting;
  }

  /** What has come can still be read. The first end or error counts. */
  #fail(error: Error): void {
    if (this.#hasEnded || this.#error !== undefined) return;
    this.#error = error;
    this.#observer.onEnd();
    this.#reject?.(error);
  }

  #end(): void {
    if (this.#hasEnded || this.#error !== undefined) return;
    this.#hasEnded = true;
    this.#observer.onEnd();
    this.#resolve?.(END);
  }
}
