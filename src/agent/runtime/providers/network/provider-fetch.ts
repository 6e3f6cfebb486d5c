/**
 * The `fetch` that the provider packages are given. It limits what they do not limit: how long the provider may be silent, how
 * large its answer may be, and where a request may go.
 */
import type { IncomingMessage } from "node:http";
import type { Clock, Timer } from "../../../../time/clock.ts";
import {
  MAX_ANSWER_BYTES,
  MAX_ERROR_BODY_BYTES,
  PROVIDER_IDLE_LIMIT_MS,
} from "../../../contracts/limits.ts";
import type {
  AnswerBody,
  AnswerRead,
  AnswerReader,
  ProviderAnswer,
  ProviderFetch,
} from "./provider-answer.ts";
import { nextTurn } from "../../../../time/next-turn.ts";
import { sendRequest, type SentRequest } from "./send-request.ts";
import { StreamReader, type ReadObserver } from "./stream-reader.ts";
import { unpacked } from "./unpacked.ts";

export class ProviderSilentError extends Error {
  override readonly name = "ProviderSilentError";
}
export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
}

type WatchClock = Pick<Clock, "setTimer" | "monotonic">;

export function createProviderFetch(clock: WatchClock): ProviderFetch {
  let settling: Promise<void> | undefined;

  /** Some servers close the connection behind an answer without having said so. A request that is sent on it at once would be lost. */
  function onEnd(): void {
    settling ??= untilClosesAreSeen().then(() => (settling = undefined));
  }
  return async (...request) => {
    if (settling !== undefined) await settling;
    const signal = request[1]?.signal ?? undefined;
    signal?.throwIfAborted();
    return await new Exchange(request, { signal, clock, onEnd }).answer();
  };
}

/** The event loop looks once for what has come on its connections. */
async function untilClosesAreSeen(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

interface ExchangeOptions {
  readonly signal: AbortSignal | undefined;
  readonly clock: WatchClock;
  /** Called once, when the body has come to its end or has failed. */
  readonly onEnd: () => void;
}

/** A request and the body of its answer. */
class Exchange implements AnswerBody, AnswerReader, ReadObserver {
  readonly #sent: SentRequest;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: () => void;
  readonly #watch: SilenceWatch;
  readonly #failed = Promise.withResolvers<never>();
  readonly #onAbort = (): void => this.#giveUp(this.#signal?.reason as Error);
  #stream: StreamReader | undefined;
  #limit = MAX_ANSWER_BYTES;
  /** Whether the end of the limit is the end of the body. */
  #isCut = false;
  #bytes = 0;
  #hasEnded = false;

  constructor(request: Parameters<ProviderFetch>, { signal, clock, onEnd }: ExchangeOptions) {
    // The reader is made at once, so that no failure of the body goes unheard.
    this.#sent = sendRequest(request, clock, (response) => {
      this.#stream = new StreamReader(unpacked(response), this);
    });
    this.#signal = signal;
    this.#onEnd = onEnd;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#watch = new SilenceWatch(clock, () =>
      this.#giveUp(new ProviderSilentError("no byte for too long")),
    );
  }

  async answer(): Promise<ProviderAnswer> {
    this.#watch.begin();
    let response: IncomingMessage;
    try {
      response = await Promise.race([this.#sent.response, this.#failed.promise]);
    } catch (error) {
      this.#close();
      throw error;
    }
    this.#watch.end();
    const { statusCode: status = 0, statusMessage: statusText = "" } = response;
    const ok = status >= 200 && status < 300;
    if (!ok) this.#limit = MAX_ERROR_BODY_BYTES;
    this.#isCut = !ok;
    const isEmpty = NULL_BODY_STATUSES.has(status);
    if (isEmpty) await this.cancel();
    return {
      ok,
      status,
      statusText,
      headers: headersOf(response),
      body: isEmpty ? null : this,
      text: () => this.#text(),
    };
  }

  getReader(): AnswerReader {
    return this;
  }

  /** A provider is silent only while somebody waits for it, so a slow reader is not taken for a silent provider. */
  read(): Promise<AnswerRead> {
    if (this.#stream === undefined) return Promise.resolve({ done: true });
    if (!this.#hasEnded) this.#watch.begin();
    return this.#stream.read();
  }

  onRead(bytes: number): boolean {
    this.#watch.end();
    this.#bytes += bytes;
    if (this.#bytes <= this.#limit) return true;
    // The beginning of an error is enough.
    if (this.#isCut) void this.cancel();
    else this.#giveUp(new AnswerTooLargeError(`more than ${this.#limit} bytes`));
    return false;
  }

  onEnd(): void {
    this.#onEnd();
    this.#hasEnded = true;
    this.#watch.close();
  }

  async cancel(): Promise<void> {
    this.#close();
    await this.#stream?.cancel();
  }

  async #text(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { value } = await this.read();
      if (value === undefined) return text + decoder.decode();
      text += decoder.decode(value, { stream: true });
    }
  }

  #giveUp(why: Error): void {
    this.#close();
    this.#failed.reject(why);
    this.#stream?.abort(why);
    this.#sent.destroy();
  }

  #close(): void {
    this.#watch.close();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** Answers with these have no body, whatever their headers say. */
const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  }
  return headers;
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
