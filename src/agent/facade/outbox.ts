import type { Writable } from "node:stream";
import type { WebSocket } from "ws";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Limits } from "../contracts/limits.ts";
import { joinWrites } from "./joined-writes.ts";

/** What all outboxes of a replica share. */
export interface OutboxContext {
  readonly clock: Clock;
  readonly metrics: Pick<AgentMetrics, "messagesSentTotal" | "slowClientsClosedTotal">;
  readonly limits: () => Pick<Limits, "maxUnsentBytes" | "maxUnsentMs">;
}

/** A frame of at most this length leaves at once when nothing waits before it, so no callback is needed when it has left. */
const SHORT_BYTES = 4 * 1024;

/**
 * Sends frames to one client. It never drops a frame: whoever sends much waits for `whenWritable` in between, and a client
 * that leaves too much unread for too long is reported as stuck.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #stream: Writable;
  readonly #context: OutboxContext;
  readonly #owner: { onStuck(): void };
  // These are made for clients that are sent much, since most are idle.
  #onWritten: (() => void) | undefined;
  #full: PromiseWithResolvers<void> | undefined;
  #stuckTimer: Timer | undefined;

  /** `stream`: what the WebSocket itself writes to, without a compression of messages. */
  constructor(
    socket: WebSocket,
    stream: Writable,
    context: OutboxContext,
    owner: { onStuck(): void },
  ) {
    this.#socket = socket;
    this.#stream = stream;
    this.#context = context;
    this.#owner = owner;
  }

  /** The WebSocket would write the head of a frame by itself, and encode the frame for each client anew. */
  send(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    this.#context.metrics.messagesSentTotal.add(1);
    joinWrites(this.#stream);
    if (bytes.length <= SHORT_BYTES && this.#stream.writableLength === 0) {
      this.#stream.write(bytes);
      return;
    }
    this.#stream.write(bytes, (this.#onWritten ??= () => this.#makeRoom()));
    if (this.#full === undefined && this.#isFull()) {
      this.#full = Promise.withResolvers();
      const { clock, limits } = this.#context;
      this.#stuckTimer = clock.setTimer(limits().maxUnsentMs, () => this.#giveUp());
    }
  }

  sendTogether(send: () => void): void {
    this.#stream.cork();
    try {
      send();
    } finally {
      this.#stream.uncork();
    }
  }

  /** Undefined while there is room. Otherwise settles when there is, or when the connection has closed. */
  whenWritable(): Promise<void> | undefined {
    return this.#full?.promise;
  }

  /** To be called when the connection has closed. */
  close(): void {
    this.#stuckTimer?.cancel();
    this.#full?.resolve();
    this.#full = undefined;
  }

  #isFull(): boolean {
    return this.#stream.writableLength > this.#context.limits().maxUnsentBytes;
  }

  // This is also called for a write that failed; the socket then emits "close".
  #makeRoom(): void {
    if (this.#full !== undefined && !this.#isFull()) this.close();
  }

  // The socket may take long to close when nobody reads at the other end. No turn may wait for that.
  #giveUp(): void {
    this.#context.metrics.slowClientsClosedTotal.add(1);
    this.#owner.onStuck();
    this.close();
  }
}
