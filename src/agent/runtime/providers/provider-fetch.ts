/**
 * The `fetch` that the provider packages are given. It limits what they do not limit: how long the provider may be silent, how
 * large its answer may be, and where a request may go.
 */
import type { Clock, Timer } from "../../../time/clock.ts";
import {
  MAX_ANSWER_BYTES,
  MAX_ERROR_BODY_BYTES,
  PROVIDER_IDLE_LIMIT_MS,
} from "../../contracts/limits.ts";

export class ProviderSilentError extends Error {
  override readonly name = "ProviderSilentError";
}
export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
}

type WatchClock = Pick<Clock, "setTimer" | "monotonic">;

export function createProviderFetch(clock: WatchClock): typeof fetch {
  return async (input, init) => {
    const giveUp = new AbortController();
    const signal =
      init?.signal == null ? giveUp.signal : AbortSignal.any([init.signal, giveUp.signal]);
    const watch = new SilenceWatch(clock, () =>
      giveUp.abort(new ProviderSilentError("no byte for too long")),
    );

    const failed = (error: unknown): unknown => {
      watch.close();
      return giveUp.signal.aborted ? giveUp.signal.reason : error;
    };

    watch.begin();
    // A redirect is never followed, since the key would be sent to wherever it leads.
    const response = await fetch(input, { ...init, signal, redirect: "manual" }).catch(
      (error: unknown) => {
        throw failed(error);
      },
    );
    watch.end();
    if (response.body === null) {
      watch.close();
      return response;
    }

    const reader = response.body.getReader();
    const limit = response.ok ? MAX_ANSWER_BYTES : MAX_ERROR_BODY_BYTES;
    let bytes = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        // This runs only while somebody wants more, so a slow reader is not taken for a silent provider.
        async pull(controller) {
          watch.begin();
          let read: Awaited<ReturnType<typeof reader.read>>;
          try {
            read = await reader.read();
          } catch (error) {
            throw failed(error);
          }
          watch.end();
          if (read.done) {
            watch.close();
            return controller.close();
          }
          bytes += read.value.byteLength;
          if (bytes <= limit) return controller.enqueue(read.value);
          watch.close();
          giveUp.abort(new AnswerTooLargeError(`more than ${limit} bytes`));
          // The beginning of an error is enough.
          if (response.ok) controller.error(giveUp.signal.reason);
          else controller.close();
        },
        cancel: (reason) => {
          watch.close();
          return reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
    const { status, statusText, headers } = response;
    return new Response(body, { status, statusText, headers });
  };
}

/** Tells of a wait that is too long. There are many short ones in an answer, so it keeps one timer for all of them. */
class SilenceWatch {
  readonly #clock: WatchClock;
  readonly #onSilent: () => void;
  #since: number | undefined;
  #timer: Timer | undefined;

  constructor(clock: WatchClock, onSilent: () => void) {
    this.#clock = clock;
    this.#onSilent = onSilent;
  }

  begin(): void {
    this.#since = this.#clock.monotonic();
    this.#timer ??= this.#clock.setTimer(PROVIDER_IDLE_LIMIT_MS, this.#look);
  }

  end(): void {
    this.#since = undefined;
  }

  close(): void {
    this.#since = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    if (this.#since === undefined) return;
    const left = this.#since + PROVIDER_IDLE_LIMIT_MS - this.#clock.monotonic();
    if (left > 0) this.#timer = this.#clock.setTimer(left, this.#look);
    else this.#onSilent();
  };
}
