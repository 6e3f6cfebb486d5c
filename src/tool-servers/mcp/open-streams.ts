import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Timer } from "../../time/clock.ts";
import { MCP_BROKEN_OFF_MS } from "../server/limits.ts";
import type { ToolCaller } from "../server/tool-caller.ts";
import { McpError } from "./mcp-error.ts";

/** A stream that is destroyed when its call has ended and the server keeps it open. */
interface OpenStream {
  destroy(): void;
}

/** For whom a call is made. */
export interface CalledFor {
  readonly caller: ToolCaller;
  /** What the requests of the call were signed with, which must not come back in its answer. */
  readonly signatures: string[];
}

const current = new AsyncLocalStorage<OpenStreams>();

/**
 * The answers that are under way to one call, or while a client connects. The client of the protocol is told of a connection that breaks, and waits on for an
 * answer until the time is over. So a call whose streams have all ended is given up.
 */
export class OpenStreams implements Disposable {
  /** `undefined`: the server is asked for nobody in particular. */
  readonly calledFor: CalledFor | undefined;
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #abort = new AbortController();
  readonly #parent: AbortSignal;
  readonly #onParentAbort = (): void => this.#abort.abort(this.#parent.reason);
  readonly #streams = new Set<OpenStream>();
  #open = 0;
  #timer: Timer | undefined;
  #isDisposed = false;
  #failure: McpError | undefined;

  constructor(clock: Pick<Clock, "setTimer">, parent: AbortSignal, calledFor?: CalledFor) {
    this.calledFor = calledFor;
    this.#clock = clock;
    this.#parent = parent;
    if (parent.aborted) this.#onParentAbort();
    else parent.addEventListener("abort", this.#onParentAbort, { once: true });
  }

  /** The call that the caller works for, as far as it is known. */
  static current(): OpenStreams | undefined {
    const streams = current.getStore();
    return streams === undefined || streams.#isDisposed ? undefined : streams;
  }

  /** Also aborted when the parent is. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why the call was given up, if it was. */
  get failure(): McpError | undefined {
    return this.#failure;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return current.run(this, work);
  }

  opened(): void {
    this.#open += 1;
    this.#timer?.cancel();
  }

  /** Its body is under way. `opened` was called before it. */
  keep(stream: OpenStream): void {
    this.#streams.add(stream);
  }

  /** `resumesInMs`: the server said that the stream may be taken up again after this time. */
  ended(stream?: OpenStream, resumesInMs = 0): void {
    this.#open -= 1;
    if (stream !== undefined) this.#streams.delete(stream);
    if (this.#open > 0) return;
    this.#timer?.cancel();
    if (this.#isDisposed) return;
    const ms = resumesInMs + MCP_BROKEN_OFF_MS;
    this.#timer = this.#clock.setTimer(ms, () => this.fail(new McpError("broken_off")));
  }

  /** Gives the call up. */
  fail(failure: McpError): void {
    this.#failure ??= failure;
    this.#abort.abort(failure);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.cancel();
    this.#parent.removeEventListener("abort", this.#onParentAbort);
    if (this.#streams.size === 0) return;
    // The end of a stream comes right after the answer, and a connection that has ended well can be used again.
    this.#timer = this.#clock.setTimer(MCP_BROKEN_OFF_MS, () => {
      for (const stream of this.#streams) stream.destroy();
    });
  }
}
