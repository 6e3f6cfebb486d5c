/** Begins turns, keeps the leases of those that run, and stops them. */
import { randomUUID } from "node:crypto";
import type { AgentConfig, HandlerName } from "../../agent-config.ts";
import type { Timer } from "../../observability/clock.ts";
import type { Handler } from "../handlers/handler.ts";
import {
  LEASE_RENEWAL_MS,
  MAX_TURNS_IN_FLIGHT,
  RETRY_AFTER_SECONDS,
  TURN_BEGIN_RETRIES_MS,
} from "../limits.ts";
import type { StoreUse } from "../current-store.ts";
import type { BegunTurn } from "../sessions/session-store.ts";
import { RunningTurn, type TurnContext } from "./running-turn.ts";
import { writeWithRetries } from "./store-retry.ts";
import { TurnError } from "./turn-error.ts";
import type { StopReason } from "./turn-ending.ts";

export interface NewMessage {
  readonly sessionId: string;
  readonly content: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** The client's own id of the message. */
  readonly messageId: string | undefined;
}

export interface TurnRunnerOptions extends TurnContext {
  readonly handlers: {
    /** Undefined when it is yet to be loaded. */
    loaded(name: HandlerName): Handler | undefined;
    load(name: HandlerName): Promise<Handler>;
  };
  /** The config that the next turn sees. */
  readonly config: () => AgentConfig;
}

export class TurnRunner {
  readonly #options: TurnRunnerOptions;
  readonly #running = new Map<string, RunningTurn>();
  #inFlight = 0;
  #accepting = true;
  #upkeep: Timer | undefined;
  #onIdle: (() => void)[] = [];

  constructor(options: TurnRunnerOptions) {
    this.#options = options;
  }

  /** Turns that have begun or are about to. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The turn that runs on this replica. */
  running(sessionId: string): RunningTurn | undefined {
    return this.#running.get(sessionId);
  }

  /**
   * Begins the turn of a message; `onStarted` is called before its first frame. Settles when the store has decided.
   * Rejects with a TurnError when this replica takes no more turns, and with what the store rejects with.
   */
  async begin(
    message: NewMessage,
    store: StoreUse,
    onStarted: (seqBefore: number) => void,
  ): Promise<BegunTurn> {
    const { clock, config, handlers } = this.#options;
    this.#admit();
    const receivedAt = clock.monotonic();
    const configOfTurn = config();
    this.#inFlight++;
    let handedOver = false;
    try {
      const handler =
        handlers.loaded(configOfTurn.handler) ?? (await handlers.load(configOfTurn.handler));
      const begin = {
        turnId: randomUUID(),
        userMessage: message.content,
        ...(message.messageId === undefined ? {} : { messageId: message.messageId }),
      };
      const begun = await writeWithRetries(() => store.store.beginTurn(message.sessionId, begin), {
        clock,
        pausesMs: TURN_BEGIN_RETRIES_MS,
      });
      if (begun.status !== "started") return begun;
      const turn = new RunningTurn(this.#options, {
        lease: begun.lease,
        store: store.store,
        config: configOfTurn,
        content: message.content,
        metadata: message.metadata,
        messageId: message.messageId,
        receivedAt,
      });
      this.#running.set(message.sessionId, turn);
      this.#upkeep ??= clock.setTimer(LEASE_RENEWAL_MS, this.#keepUp);
      onStarted(begun.lease.seqBefore);
      handedOver = true;
      void this.#run(turn, handler, store.share());
      return begun;
    } finally {
      if (!handedOver) this.#leave();
    }
  }

  async #run(turn: RunningTurn, handler: Handler, releaseStore: () => void): Promise<void> {
    try {
      await turn.run(handler, () => this.#forget(turn));
    } catch (error) {
      this.#options.log.error({ error, turnId: turn.id }, "A turn came to no end");
    } finally {
      this.#forget(turn);
      releaseStore();
      this.#leave();
    }
  }

  /** Whether a turn of the session runs on this replica. */
  cancel(sessionId: string): boolean {
    const turn = this.#running.get(sessionId);
    turn?.stop("cancelled");
    return turn !== undefined;
  }

  /** From now on new messages are refused; what runs goes on. */
  refuseNewTurns(): void {
    this.#accepting = false;
  }

  stopAll(reason: StopReason): void {
    for (const turn of this.#running.values()) turn.stop(reason);
  }

  /** Settles when no turn runs. */
  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  close(): void {
    this.#upkeep?.cancel();
  }

  #admit(): void {
    const details = { retry_after: RETRY_AFTER_SECONDS };
    if (!this.#accepting) {
      throw new TurnError("UNAVAILABLE", "The agent is shutting down. Connect again.", { details });
    }
    if (this.#inFlight >= MAX_TURNS_IN_FLIGHT) {
      throw new TurnError("UNAVAILABLE", "The agent has as many turns as it takes. Try again.", {
        details,
      });
    }
  }

  #forget(turn: RunningTurn): void {
    if (this.#running.get(turn.sessionId) === turn) this.#running.delete(turn.sessionId);
  }

  #leave(): void {
    this.#inFlight--;
    if (this.#inFlight > 0) return;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }

  readonly #keepUp = (): void => {
    this.#upkeep = undefined;
    if (this.#running.size === 0) return;
    for (const turn of this.#running.values()) void turn.upkeep();
    this.#upkeep = this.#options.clock.setTimer(LEASE_RENEWAL_MS, this.#keepUp);
  };
}
