/** One run: the answer to a POST, read event by event and held to the order that an agent relies on. */
import { CheckFailed, ensure } from "../harness/check-failed.ts";
import { eventData } from "./event-data.ts";
import { parseRunEvent, type RunEvent } from "./run-event.ts";

export interface RunCall {
  readonly id: string;
  readonly name: string;
  /** What came of the JSON of its arguments. */
  arguments: string;
  hasEnded: boolean;
  hasResult: boolean;
}

export interface RunEnd {
  readonly type: "RUN_FINISHED" | "RUN_ERROR";
  readonly text: string;
  readonly calls: readonly RunCall[];
}

export class Run {
  readonly #data: AsyncGenerator<string>;
  readonly #signal: AbortSignal;
  readonly #close: () => void;
  readonly #calls = new Map<string, RunCall>();
  #lastCall: RunCall | undefined;
  #text = "";
  #events = 0;
  #end: "RUN_FINISHED" | "RUN_ERROR" | undefined;

  constructor(
    body: AsyncIterable<Uint8Array>,
    { signal, close }: { signal: AbortSignal; close: () => void },
  ) {
    this.#data = eventData(body);
    this.#signal = signal;
    this.#close = close;
  }

  get text(): string {
    return this.#text;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Reads the next event, or settles with `undefined` at the end of the stream. */
  async next(): Promise<RunEvent | undefined> {
    const data = await this.#nextData();
    if (data === undefined) {
      ensure(this.#events > 0, "the stream ended without an event");
      ensure(this.#end !== undefined, "the stream ended without RUN_FINISHED or RUN_ERROR");
      return undefined;
    }
    const event = parseRunEvent(data);
    this.#take(event);
    this.#events += 1;
    return event;
  }

  /** Reads until text comes, and settles with whether it did before the end of the run. */
  async untilText(): Promise<boolean> {
    while (this.#text === "") if ((await this.next()) === undefined) return false;
    return true;
  }

  /** Reads to the end of the stream, whichever end the run has. */
  async ended(): Promise<RunEnd> {
    while ((await this.next()) !== undefined);
    return { type: this.#end ?? "RUN_ERROR", text: this.#text, calls: [...this.#calls.values()] };
  }

  /** The same, of a run that has to end well. */
  async finished(): Promise<RunEnd> {
    const end = await this.ended();
    // The message of the error may hold a key, so it is not shown.
    ensure(end.type === "RUN_FINISHED", "the run ended in RUN_ERROR; its own log may say why");
    return end;
  }

  /** Closes the request, as an agent does when a turn is cancelled. */
  close(): void {
    this.#close();
  }

  async #nextData(): Promise<string | undefined> {
    try {
      const { value, done } = await this.#data.next();
      return done === true ? undefined : value;
    } catch (error) {
      if (error instanceof CheckFailed) throw error;
      if (this.#signal.aborted) throw new CheckFailed("the end of a run did not come in time");
      throw new CheckFailed("the connection broke off in the middle of a run");
    }
  }

  #take(event: RunEvent): void {
    ensure(this.#end === undefined, `an event came behind ${this.#end ?? "the end"}`);
    ensure(
      this.#events > 0 || event.type === "RUN_STARTED" || event.type === "RUN_ERROR",
      `the first event is ${event.type === "other" ? "another one" : event.type}`,
    );
    switch (event.type) {
      case "RUN_FINISHED":
      case "RUN_ERROR":
        this.#end = event.type;
        return;
      case "TEXT_MESSAGE_CONTENT":
      case "TEXT_MESSAGE_CHUNK":
        this.#text += event.delta ?? "";
        return;
      case "TOOL_CALL_START":
        this.#begin(event.toolCallId, event.toolCallName);
        return;
      case "TOOL_CALL_ARGS":
        this.#callOf(event).arguments += event.delta;
        return;
      case "TOOL_CALL_END":
        this.#callOf(event).hasEnded = true;
        return;
      case "TOOL_CALL_RESULT":
        this.#callOf(event).hasResult = true;
        return;
      case "TOOL_CALL_CHUNK":
        this.#takeChunk(event);
        return;
      case "RUN_STARTED":
      case "other":
    }
  }

  #begin(id: string, name: string): void {
    ensure(!this.#calls.has(id), "two calls of a run have one id");
    const call = { id, name, arguments: "", hasEnded: false, hasResult: false };
    this.#calls.set(id, call);
    this.#lastCall = call;
  }

  #callOf({ type, toolCallId }: { type: string; toolCallId: string }): RunCall {
    const call = this.#calls.get(toolCallId);
    ensure(call !== undefined, `${type} came before TOOL_CALL_START of its call`);
    return call;
  }

  /** A chunk is START, ARGS and END in one: the first of a call names it, and the call ends with its last one. */
  #takeChunk(event: Extract<RunEvent, { type: "TOOL_CALL_CHUNK" }>): void {
    const { toolCallId, toolCallName, delta } = event;
    if (toolCallId != null && !this.#calls.has(toolCallId)) {
      ensure(toolCallName != null, "the first TOOL_CALL_CHUNK of a call has no name");
      this.#begin(toolCallId, toolCallName);
    }
    const call = toolCallId == null ? this.#lastCall : this.#calls.get(toolCallId);
    ensure(call !== undefined, "a TOOL_CALL_CHUNK belongs to no call");
    call.arguments += delta ?? "";
    call.hasEnded = true;
  }
}
