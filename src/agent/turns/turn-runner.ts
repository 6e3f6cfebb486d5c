/** Begins turns, keeps the leases of those that run, and stops them. */
import { randomUUID } from "node:crypto";
import type { AgentConfig, HandlerName } from "../../agent-config.ts";
import type { Timer } from "../../observability/clock.ts";
import type { Handler } from "../handlers/handler.ts";
import { LEASE_RENEWAL_MS, limitsOf, TURN_BEGIN_RETRIES_MS } from "../limits.ts";
import type { StoreUse } from "../current-store.ts";
import { TurnSlots } from "../turn-slots.ts";
import type { BegunTurn } from "../sessions/session-store.ts";
import { RunningTurn, type TurnContext } from "./running-turn.ts";
import { writeWithRetries } from "./store-retry.ts";
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
  readonly #slots: TurnSlots;
  #upkeep: Timer | undefined;

  constructor(options: TurnRunnerOptions) {
    this.#options = options;
    const { clock, metrics, config } = options;
    this.#slots = new TurnSlots({ clock, metrics, limits: () => limitsOf(config()) });
  }

  /** Turns that have begun or are about to. */
  get inFlight(): number {
    return this.#slots.taken;
  }

  /** Turns that wait for one of those to end. */
  get queued(): number {
    return this.#slots.queued;
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
    const receivedAt = clock.monotonic();
    const wait = this.#slots.enter(message.sessionId);
    const isCancelled = wait !== undefined && (await wait) === "cancelled";
    const configOfTurn = config();
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
      if (isCancelled) turn.stop("cancelled");
      handedOver = true;
      void this.#run(turn, handler, store.share());
      return begun;
    } finally {
      if (!handedOver) this.#slots.leave();
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
      this.#slots.leave();
    }
  }

  /** Whether a turn of the session runs on this replica. */
  cancel(sessionId: string): boolean {
    const turn = this.#running.get(sessionId);
    turn?.stop("cancelled");
    return turn !== undefined;
  }

  /** Whether a turn of the session waited to run here; it ends as soon as it has begun. */
  cancelQueued(sessionId: string): boolean {
    return this.#slots.cancel(sessionId);
  }

  /** From now on new messages are refused; what runs goes on. */
  refuseNewTurns(): void {
    this.#slots.close();
  }

  stopAll(reason: StopReason): void {
    for (const turn of this.#running.values()) turn.stop(reason);
  }

  /** Settles when no turn runs. */
  whenIdle(): Promise<void> {
    return this.#slots.whenIdle();
  }

  close(): void {
    this.#upkeep?.cancel();
  }

  #forget(turn: RunningTurn): void {
    if (this.#running.get(turn.sessionId) === turn) this.#running.delete(turn.sessionId);
  }

  readonly #keepUp = (): void => {
    this.#upkeep = undefined;
    if (this.#running.size === 0) return;
    for (const turn of this.#running.values()) void turn.upkeep();
    this.#upkeep = this.#options.clock.setTimer(LEASE_RENEWAL_MS, this.#keepUp);
  };
}
