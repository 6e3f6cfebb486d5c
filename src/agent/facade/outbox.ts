import type { WebSocket } from "ws";
import type { CounterMetric } from "../../observability/metrics.ts";
import type { Clock, Timer } from "../../observability/clock.ts";
import { MAX_UNSENT_BYTES, MAX_UNSENT_MS } from "../limits.ts";

/**
 * What goes out to one client. Never drops a frame: whoever sends much asks `whenWritable` in between, and a client
 * that leaves too much unread for too long is given up.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #sentTotal: CounterMetric;
  readonly #onStuck: () => void;
  #full: PromiseWithResolvers<void> | undefined;
  #stuckTimer: Timer | undefined;

  constructor(
    socket: WebSocket,
    options: { clock: Clock; sentTotal: CounterMetric; onStuck: () => void },
  ) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#sentTotal = options.sentTotal;
    this.#onStuck = options.onStuck;
  }

  send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(text, this.#onWritten);
    this.#sentTotal.add(1);
    if (this.#full === undefined && this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.#full = Promise.withResolvers();
      this.#stuckTimer = this.#clock.setTimer(MAX_UNSENT_MS, this.#giveUp);
    }
  }

  /** Undefined while there is room; otherwise settles when there is, or when the connection has closed. */
  whenWritable(): Promise<void> | undefined {
    return this.#full?.promise;
  }

  /** The connection has closed. */
  close(): void {
    this.#stuckTimer?.cancel();
    this.#full?.resolve();
    this.#full = undefined;
  }

  // A write that failed is followed by the socket's own "close".
  readonly #onWritten = (): void => {
    if (this.#full !== undefined && this.#socket.bufferedAmount <= MAX_UNSENT_BYTES) this.close();
  };
  // The socket may take long to close, with nobody at the other end who reads; no turn is to wait for that.
  readonly #giveUp = (): void => {
    this.#onStuck();
    this.close();
  };
}
