import type { WebSocket } from "ws";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Limits } from "../contracts/limits.ts";

/** What all outboxes share. */
export interface OutboxContext {
  readonly clock: Clock;
  readonly metrics: Pick<AgentMetrics, "messagesSentTotal" | "slowClientsClosedTotal">;
  readonly limits: () => Pick<Limits, "maxUnsentBytes" | "maxUnsentMs">;
}

/** A frame so short leaves at once, or waits with others: it need not be asked whether it has left. */
const SHORT_CHARACTERS = 4 * 1024;

/**
 * What goes out to one client. Never drops a frame: whoever sends much asks `whenWritable` in between, and a client
 * that leaves too much unread for too long is given up.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #context: OutboxContext;
  readonly #owner: { onStuck(): void };
  // Made for clients that are sent much; most are idle.
  #onWritten: (() => void) | undefined;
  #full: PromiseWithResolvers<void> | undefined;
  #stuckTimer: Timer | undefined;

  constructor(socket: WebSocket, context: OutboxContext, owner: { onStuck(): void }) {
    this.#socket = socket;
    this.#context = context;
    this.#owner = owner;
  }

  send(text: string): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    this.#context.metrics.messagesSentTotal.add(1);
    if (text.length <= SHORT_CHARACTERS && socket.bufferedAmount === 0) {
      socket.send(text);
      return;
    }
    socket.send(text, (this.#onWritten ??= () => this.#makeRoom()));
    if (this.#full === undefined && this.#isFull()) {
      this.#full = Promise.withResolvers();
      const { clock, limits } = this.#context;
      this.#stuckTimer = clock.setTimer(limits().maxUnsentMs, () => this.#giveUp());
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

  #isFull(): boolean {
    return this.#socket.bufferedAmount > this.#context.limits().maxUnsentBytes;
  }

  // A write that failed is followed by the socket's own "close".
  #makeRoom(): void {
    if (this.#full !== undefined && !this.#isFull()) this.close();
  }

  // The socket may take long to close, with nobody at the other end who reads; no turn is to wait for that.
  #giveUp(): void {
    this.#context.metrics.slowClientsClosedTotal.add(1);
    this.#owner.onStuck();
    this.close();
  }
}
