/**
 * The body of an answer as the provider's package is given it: a stream of events, each of which is in the provider's own
 * form. A body that is no stream becomes one when it is a whole answer, and else an error that says what came.
 */
import { LATE, within } from "../../../../time/within.ts";
import type { Clock } from "../../../../time/clock.ts";
import { endOfTick } from "../../../../time/end-of-tick.ts";
import { ANSWER_END_WAIT_MS, ANSWER_LINGER_MS } from "../../../contracts/limits.ts";
import type { AnswerReader, ProviderAnswer } from "../network/provider-answer.ts";
import type { Departures } from "./departures.ts";
import { isFields, type Fields } from "./json-fields.ts";
import { parseLenient } from "./lenient-json.ts";
import { NotAStreamError, type NotAStream } from "./not-a-stream.ts";
import { ServerEvents, type ServerEvent } from "./server-events.ts";
import type { StreamMender } from "./stream-mender.ts";
import type { TextBypass } from "./text-bypass.ts";
import { TextPieces, type CleanEvent } from "./text-pieces.ts";
import { apiOfEvent } from "./wire-api.ts";

export interface MendedBodyOptions {
  response: Pick<ProviderAnswer, "body" | "status" | "headers">;
  mender: StreamMender;
  departures: Departures;
  /** Takes text in place of the package, if there is somebody who reads what the package makes of it. */
  bypass?: TextBypass | undefined;
  clock: Pick<Clock, "setTimer">;
  /** Aborted when nobody wants the answer any more. */
  signal: AbortSignal | undefined;
  /** Called once, when the answer has come to its end. */
  onEnd: () => void;
}

export function mendedBody(options: MendedBodyOptions): ReadableStream<Uint8Array> {
  const { response, mender, bypass, clock, signal, onEnd } = options;
  const reader = response.body?.getReader();
  const answer = new AnswerEvents(options);
  const pieces = new TextPieces(mender, bypass);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let isRead = false;
  let hasGiven = false;

  let reading: Promise<{ readonly value?: Uint8Array | undefined }> | undefined;

  /** An answer that lacks nothing has also reached its end when it does not go on, or breaks off. */
  async function eventsAtEnd(): Promise<CleanEvent[]> {
    let bytes: Uint8Array | undefined;
    let whole: CleanEvent[] = [];
    try {
      reading ??= nextBytes();
      const result = await within(ANSWER_END_WAIT_MS, reading, clock);
      if (result === LATE) {
        whole = answer.takeWhole();
        if (!mender.mayEnd && !answer.isOver) return whole;
      } else {
        reading = undefined;
        bytes = result.value;
      }
    } catch (error) {
      whole = wholeAfter(error);
    }
    return eventsIn(bytes, whole);
  }

  function nextBytes(): Promise<{ readonly value?: Uint8Array | undefined }> {
    return reader?.read() ?? Promise.resolve({});
  }

  /** The events in what came before a failure. Throws the error when the answer is not complete with them. */
  function wholeAfter(error: unknown): CleanEvent[] {
    if (signal?.aborted === true || error instanceof NotAStreamError) throw error;
    const whole = answer.takeWhole();
    if (!mender.mayEnd && !answer.isOver) throw error;
    return whole;
  }

  function eventsIn(bytes: Uint8Array | undefined, before: readonly CleanEvent[]): CleanEvent[] {
    isRead = bytes === undefined;
    return isRead
      ? [...before, ...answer.push(decoder.decode()), ...answer.end()]
      : answer.push(decoder.decode(bytes, { stream: true }));
  }

  /** Most pieces of an answer go through this loop and leave it at `say`, so it has one wait for each, and no more. */
  async function nextText(): Promise<string> {
    // What the package was given comes out of it now, when it waits for nothing else.
    if (hasGiven) await endOfTick();
    hasGiven = false;
    while (!answer.isOver) {
      let events: readonly CleanEvent[];
      if (mender.mayEnd || answer.mayBeWhole) {
        events = await eventsAtEnd();
      } else {
        let bytes: Uint8Array | undefined;
        let whole = NO_EVENTS;
        try {
          reading ??= nextBytes();
          bytes = (await reading).value;
          reading = undefined;
        } catch (error) {
          whole = wholeAfter(error);
        }
        events = eventsIn(bytes, whole);
      }
      const { given, room } = pieces.take(events, answer.isOver);
      if (room !== undefined) await room;
      hasGiven = given.length > 0;
      if (hasGiven) return written(given);
    }
    return "";
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const text = await nextText();
          if (text !== "") return controller.enqueue(encoder.encode(text));
        } catch (error) {
          onEnd();
          void reader?.cancel().catch(() => {});
          throw error;
        }
        onEnd();
        controller.close();
        if (reader === undefined) return;
        if (isRead) void reader.cancel().catch(() => {});
        else void drain(reader, clock);
      },
      cancel(reason) {
        onEnd();
        return reader?.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Reads what is left of a body, so that its connection can serve the next request; a server that does not end it is hung up on. */
async function drain(reader: AnswerReader, clock: Pick<Clock, "setTimer">): Promise<void> {
  async function readAll(): Promise<void> {
    while (!(await reader.read()).done);
  }
  try {
    const end = await within(ANSWER_LINGER_MS, readAll(), clock);
    if (end === LATE) await reader.cancel();
  } catch {
    // The answer is complete, so nothing that happens to its connection matters.
  }
}

const NO_EVENTS: readonly CleanEvent[] = [];
/** The data of the event that says that there are no more. */
const DONE = "[DONE]";

class AnswerEvents {
  readonly #options: MendedBodyOptions;
  readonly #events = new ServerEvents();
  /** Undefined until there is more than blanks, some of which servers send to keep a connection open. */
  #kind: "stream" | "document" | undefined;
  /** The pieces of a body that is one JSON value. */
  readonly #document: string[] = [];
  #hasEvents = false;
  #isOver = false;

  constructor(options: MendedBodyOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The events that this piece of text completes. */
  push(text: string): CleanEvent[] {
    if (this.#kind === undefined) {
      const [first] = /[^\s\0]/.exec(text) ?? [];
      if (first === undefined) return [];
      if (first === "<") throw this.#notAStream("an HTML page");
      this.#kind = first === "{" || first === "[" ? "document" : "stream";
    }
    if (this.#kind === "stream") return this.#read(this.#events.push(text));
    this.#document.push(text);
    return [];
  }

  /** Whether what came may be whole, although neither its line nor the body has ended. */
  get mayBeWhole(): boolean {
    return this.#kind === "document"
      ? // Behind a line break more lines may come.
        /[}\]]$/.test(this.#document.at(-1) ?? "")
      : this.#events.mayBeWhole;
  }

  /** The events in what came without its end, if it is whole. */
  takeWhole(): CleanEvent[] {
    if (this.#isOver || !this.mayBeWhole) return [];
    if (this.#kind === "stream") return this.#read(this.#events.takeWhole());
    return wholeValues(this.#document.join("")) === undefined ? [] : this.end();
  }

  /** The events that the end of the body completes. */
  end(): CleanEvent[] {
    if (this.#isOver) return [];
    if (this.#kind === undefined) throw this.#notAStream("an empty body");
    const events =
      this.#kind === "document"
        ? this.#readDocument(this.#document.join(""))
        : this.#read(this.#events.end(), true);
    if (!this.#hasEvents && !this.#events.sawField) {
      throw this.#notAStream(this.#kind === "document" ? "JSON that is no answer" : "a text");
    }
    return this.#isOver ? events : [...events, ...this.#endAnswer()];
  }

  #readDocument(text: string): CleanEvent[] {
    const { mender } = this.#options;
    const values = wholeValues(text);
    // A body may begin with a line of JSON and go on as a stream, or be a JSON value in every line.
    if (values === undefined) {
      return this.#read([...this.#events.push(text), ...this.#events.end()], true);
    }
    const [answer] = values;
    if (values.length === 1 && isFields(answer)) {
      const events = mender.fromWhole(answer);
      this.#hasEvents = events !== undefined;
      const [first] = events ?? [];
      if (first !== undefined && isError(first)) {
        throw this.#notAStream("an error", first["error"] ?? answer["error"] ?? answer);
      }
      if (events !== undefined) return events;
      const failed = mender.mend(answer, undefined).find(isError);
      if (failed !== undefined) throw this.#notAStream("an error", answer["error"] ?? answer);
    }
    return this.#read(values.map((value) => ({ name: undefined, data: JSON.stringify(value) })));
  }

  #endAnswer(): Fields[] {
    this.#isOver = true;
    return this.#options.mender.atEnd();
  }

  /** `isLast`: the stream has ended, maybe within the last of these events. */
  #read(events: readonly ServerEvent[], isLast = false): CleanEvent[] {
    const clean: CleanEvent[] = [];
    let isEnd = false;
    for (let at = 0; at < events.length && !isEnd; at++) {
      const { name, data } = events[at] as ServerEvent;
      const trimmed = data.trim();
      isEnd = trimmed.length === DONE.length && trimmed.toUpperCase() === DONE;
      if (!isEnd) this.#take(name, trimmed, clean, isLast && at === events.length - 1);
      isEnd ||= this.#options.mender.isOver;
    }
    return isEnd ? [...clean, ...this.#endAnswer()] : clean;
  }

  #take(name: string | undefined, trimmed: string, clean: CleanEvent[], mayBeCut: boolean): void {
    const { departures } = this.#options;
    if (trimmed === "" || trimmed === "null") return departures.add("data");
    const values = parseLenient(trimmed);
    if (values === undefined && name === "error")
      return this.#mend({ error: trimmed }, name, clean);
    if (values === undefined) {
      const isJSON = trimmed.startsWith("{") || trimmed.startsWith("[");
      if (isJSON && !mayBeCut) clean.push(trimmed.replaceAll("\n", " "));
      else departures.add("data");
      return;
    }
    const [first] = values;
    const fields = values.length === 1 && !Array.isArray(first) ? values : values.flat();
    for (const value of fields) {
      if (!isFields(value)) {
        departures.add("data");
        continue;
      }
      this.#mend(value, name === "" ? undefined : name, clean);
    }
  }

  #mend(value: Fields, name: string | undefined, clean: CleanEvent[]): void {
    const { mender } = this.#options;
    const api = this.#hasEvents ? mender.api : apiOfEvent(value);
    // Without this the answer would seem to be empty, and be asked for again, though it may have been paid for.
    if (api !== undefined && api !== mender.api) throw this.#notAStream("an answer of another API");
    for (const event of mender.mend(value, name)) {
      clean.push(event);
      this.#hasEvents = true;
    }
  }

  #notAStream(what: NotAStream, error?: unknown): NotAStreamError {
    return new NotAStreamError(what, this.#options.response, error);
  }
}

/** In the words of any provider. */
function isError({ error, type }: Fields): boolean {
  return error !== undefined || type === "error" || type === "response.failed";
}

/** The values of a body that is JSON: one answer, or a list of the events of one. */
function wholeValues(text: string): unknown[] | undefined {
  try {
    return [JSON.parse(text)].flat();
  } catch {
    return undefined;
  }
}

function written(events: readonly CleanEvent[]): string {
  let text = "";
  for (const event of events) {
    text += `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`;
  }
  return text;
}
