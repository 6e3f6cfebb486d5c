import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { RETRY_AFTER_SECONDS, type Limits } from "../contracts/limits.ts";
import { TurnError } from "../contracts/turn-error.ts";

type SlotLimits = Pick<Limits, "maxTurnsInFlight" | "maxQueuedTurns" | "maxQueueMs">;
type SlotRefusal = "queue_full" | "queue_timeout" | "shutting_down";

export interface TurnSlotsOptions {
  readonly clock: Clock;
  readonly metrics: Pick<AgentMetrics, "requestsRefusedTotal">;
  readonly limits: () => SlotLimits;
}

const MESSAGES: Readonly<Record<SlotRefusal, string>> = {
  queue_full: "The agent has as many turns as it takes. Try again.",
  queue_timeout: "The agent has as many turns as it takes. Try again.",
  shutting_down: "The agent is shutting down. Connect again.",
};

interface Waiting {
  readonly sessionId: string;
  readonly settle: (outcome: "entered" | "cancelled" | SlotRefusal) => void;
}

/** Limits how many turns run on this replica at a time. Turns beyond the limit wait, and the first to come is the first to run. */
export class TurnSlots {
  readonly #options: TurnSlotsOptions;
  readonly #waiting = new Set<Waiting>();
  #taken = 0;
  #isOpen = true;
  #onIdle: (() => void)[] = [];

  constructor(options: TurnSlotsOptions) {
    this.#options = options;
  }

  /** The number of turns that have a slot. */
  get taken(): number {
    return this.#taken;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a slot, which `leave` gives back. Answers undefined when there is a slot now, and otherwise a promise that settles
   * with the slot; with `cancelled` when the turn was cancelled meanwhile, which has its slot all the same to come to its
   * end. Throws or rejects with a TurnError when the turn gets no slot.
   */
  enter(sessionId: string): Promise<"entered" | "cancelled"> | undefined {
    if (!this.#isOpen) throw this.#refuse("shutting_down");
    const { maxTurnsInFlight, maxQueuedTurns, maxQueueMs } = this.#options.limits();
    if (this.#taken < maxTurnsInFlight && this.#waiting.size === 0) {
      this.#taken++;
      return undefined;
    }
    if (this.#waiting.size >= maxQueuedTurns) throw this.#refuse("queue_full");
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const waiting: Waiting = {
        sessionId,
        settle: (outcome) => {
          timer?.cancel();
          this.#waiting.delete(waiting);
          if (outcome === "entered" || outcome === "cancelled") {
            this.#taken++;
            resolve(outcome);
          } else {
            reject(this.#refuse(outcome));
          }
        },
      };
      timer = this.#options.clock.setTimer(maxQueueMs, () => waiting.settle("queue_timeout"));
      this.#waiting.add(waiting);
      // The limit may have grown since the last turn left.
      this.#admit();
    });
  }

  leave(): void {
    this.#taken--;
    if (this.#waiting.size > 0) this.#admit();
    if (this.#taken > 0 || this.#onIdle.length === 0) return;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }

  /** Gives the session's waiting turn a slot, so that it comes to its end at once. Answers whether one waited. */
  cancel(sessionId: string): boolean {
    for (const waiting of this.#waiting) {
      if (waiting.sessionId !== sessionId) continue;
      waiting.settle("cancelled");
      return true;
    }
    return false;
  }

  /** From now on no turn gets a slot. Those that wait are refused. */
  close(): void {
    this.#isOpen = false;
    for (const waiting of this.#waiting) waiting.settle("shutting_down");
  }

  /** Settles when no slot is taken. */
  whenIdle(): Promise<void> {
    if (this.#taken === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (this.#taken >= this.#options.limits().maxTurnsInFlight) return;
      waiting.settle("entered");
    }
  }

  #refuse(reason: SlotRefusal): TurnError {
    this.#options.metrics.requestsRefusedTotal.add(1, { reason });
    return new TurnError("UNAVAILABLE", MESSAGES[reason], {
      details: { retry_after: RETRY_AFTER_SECONDS },
    });
  }
}
