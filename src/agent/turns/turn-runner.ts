/** Begins turns, takes over those of replicas that died, keeps the leases of those that run, and stops them. */
import {
  HANDLER_NAMES,
  type AgentConfig,
  type BudgetConfig,
  type HandlerName,
} from "../../agent-config/agent-config.ts";
import type { Usage } from "../../protocol/frames.ts";
import type { Timer } from "../../time/clock.ts";
import { within } from "../../time/within.ts";
import type { Handler } from "../contracts/handler.ts";
import { promptVersions } from "../runtime/session-prompt.ts";
import {
  LEASE_RENEWAL_MS,
  limitsOf,
  MAX_FAILED_TURN_WAIT_MS,
  MAX_TURN_BEGINS,
  RETRY_AFTER_SECONDS,
  TURN_BEGIN_RETRIES_MS,
} from "../contracts/limits.ts";
import { TokenBudget, tokenLimits } from "../contracts/token-budget.ts";
import { DayBudget } from "./day-budget.ts";
import type { StoreUse } from "../sessions/current-store.ts";
import { TurnSlots } from "./turn-slots.ts";
import type { TraceParent } from "../../observability/tracing/trace-parent.ts";
import type { SessionOwner } from "../sessions/session-client.ts";
import {
  StoreUnavailableError,
  type AbandonedTurn,
  type AnsweredCall,
  type BegunTurn,
  type NewTurn,
} from "../sessions/session-store.ts";
import type { TurnOrigin } from "../sessions/turn-journal.ts";
import { unendedRecord } from "../sessions/unended-record.ts";
import { answerEntry, checkEdit, type NewAnswer } from "./call-answer.ts";
import { readJournal } from "./read-journal.ts";
import { RunningTurn } from "./running-turn.ts";
import { retryStore, withStoreRetries } from "./store-retry.ts";
import type { TurnContext } from "./turn-context.ts";
import { closingHandler, decideRecovery } from "./recovery.ts";
import { TurnError } from "../contracts/turn-error.ts";
import { newTurnId } from "./turn-id.ts";
import { UnsureTurns } from "./unsure-turns.ts";
import type { StopReason } from "./turn-ending.ts";

export interface NewMessage {
  readonly sessionId: string;
  readonly client: SessionOwner;
  readonly content: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** The client's own id of the message. */
  readonly messageId: string | undefined;
  /** The place in a trace that the client named when it connected. */
  readonly traceParent?: TraceParent | undefined;
}

/** What became of a message. An abandoned turn before it is taken over first, and a spent budget is an error. */
export type TurnBegin = Exclude<BegunTurn, { status: "abandoned" | "budget-spent" }>;

export interface TurnRunnerOptions extends TurnContext {
  readonly handlers: {
    /** Undefined when the handler is yet to be loaded. */
    loaded(name: HandlerName): Handler | undefined;
    load(name: HandlerName): Promise<Handler>;
  };
  /** The config for the turn that begins next. */
  readonly config: () => AgentConfig;
}

export class TurnRunner {
  readonly #options: TurnRunnerOptions;
  readonly #running = new Map<string, RunningTurn>();
  /** The turns whose clients were told that they failed, and whose end the store could not be told yet. */
  readonly #failed = new Map<string, Promise<void>>();
  readonly #unsure: UnsureTurns;
  readonly #recoveries = new Map<string, Promise<"running" | "ended">>();
  readonly #slots: TurnSlots;
  /** For the records of turns that no other replica ran. */
  readonly #replicas: string[];
  readonly #dayBudget: DayBudget;
  #upkeep: Timer | undefined;

  constructor(options: TurnRunnerOptions) {
    this.#options = options;
    const { clock, metrics, config } = options;
    this.#unsure = new UnsureTurns(clock);
    this.#dayBudget = new DayBudget(options);
    this.#replicas = options.replica === undefined ? [] : [options.replica];
    this.#slots = new TurnSlots({ clock, metrics, limits: () => limitsOf(config()) });
  }

  /** The number of turns that have begun or are about to. */
  get inFlight(): number {
    return this.#slots.taken;
  }

  /** The number of turns that wait for one of those to end. */
  get queued(): number {
    return this.#slots.queued;
  }

  /** The tokens that all replicas have used today, as far as this one knows; 0 where there is no budget for the day. */
  get tokensToday(): number {
    return this.#dayBudget.knownToday;
  }

  /** The same, as the store says it. Undefined where there is no budget for the day. */
  async tellTokensToday(store: StoreUse["store"]): Promise<number | undefined> {
    const { budget } = this.#options.config();
    if (budget?.maxTokensPerDay === undefined) return undefined;
    return await this.#dayBudget.toldToday(store);
  }

  /** The session's turn, if it runs on this replica. */
  running(sessionId: string): RunningTurn | undefined {
    return this.#running.get(sessionId);
  }

  /**
   * Begins the turn of a message; `onStarted` is called before its first frame. Settles when the store has decided whether
   * the turn begins. Rejects with a TurnError when this replica takes no more turns, and with what the store rejects with.
   */
  begin(
    message: NewMessage,
    store: StoreUse,
    onStarted: (seqBefore: number) => void,
  ): Promise<TurnBegin> {
    return this.#begin(message, store, onStarted, 1);
  }

  /**
   * Takes the session's turn over when its replica is gone, unless another replica does so first. Settles when the turn
   * runs or has ended. Rejects with a TurnError when this replica takes no more turns, and with what the store rejects with.
   */
  recover(sessionId: string, client: SessionOwner, store: StoreUse): Promise<"running" | "ended"> {
    const running = this.#running.get(sessionId);
    // The lease of a turn that runs here may have run out while this process, or the store, stood still.
    if (running !== undefined) return running.renew().then(() => "running");
    const existing = this.#recoveries.get(sessionId);
    if (existing !== undefined) return existing;
    const recovery = this.#recover(sessionId, client, store).finally(() => {
      this.#recoveries.delete(sessionId);
    });
    this.#recoveries.set(sessionId, recovery);
    return recovery;
  }

  /**
   * Answers a call that waits for an approval. With the last answer that a session waits for its turn goes on here; `onStarted`
   * is called before its first frame. Rejects with a TurnError when the answer cannot be taken or this replica takes no more
   * turns, and with what the store rejects with.
   */
  async answer(
    answer: NewAnswer,
    store: StoreUse,
    onStarted: (seqBefore: number) => void,
  ): Promise<AnsweredCall["status"]> {
    const { clock, config } = this.#options;
    const { sessionId, client, frame } = answer;
    const wait = this.#slots.enter(sessionId);
    const isCancelled = wait !== undefined && (await wait) === "cancelled";
    let handedOver = false;
    try {
      const current = config();
      const handler = await this.#handler(current.handler);
      await checkEdit(answer, current, { handler, clock });
      const { replica } = this.#options;
      const entry = answerEntry(frame);
      const attempt = { entry, turnId: newTurnId(), at: clock.now(), replica };
      const answered = await withStoreRetries(
        () => store.store.answerCall(sessionId, client.owner, attempt),
        { clock, pausesMs: TURN_BEGIN_RETRIES_MS },
      );
      if (answered.status === "started" || answered.status === "recorded") {
        const state = frame.type === "approve" ? "approved" : "denied";
        this.#options.metrics.approvalsTotal.add(1, { state });
      }
      if (answered.status !== "started") return answered.status;
      await this.#whenEnded(sessionId);
      handedOver = true;
      await this.#goOn(answered.turn, client, isCancelled, store, onStarted);
      return "started";
    } finally {
      if (!handedOver) this.#slots.leave();
    }
  }

  /** The store may know of the end of a turn whose clients are yet to be sent its last frame. */
  #whenEnded(sessionId: string): Promise<unknown> | undefined {
    const before = this.#running.get(sessionId);
    if (before?.isEnding !== true) return undefined;
    return within(MAX_FAILED_TURN_WAIT_MS, before.whenOver(), this.#options.clock);
  }

  async #begin(
    message: NewMessage,
    store: StoreUse,
    onStarted: (seqBefore: number) => void,
    attempt: number,
  ): Promise<TurnBegin> {
    const { clock, config } = this.#options;
    const receivedAt = clock.monotonic();
    const startedAt = clock.now();
    const wait = this.#slots.enter(message.sessionId);
    const isCancelled = wait !== undefined && (await wait) === "cancelled";
    const configOfTurn = config();
    let begun: BegunTurn;
    let handedOver = false;
    try {
      const { handlers } = this.#options;
      const name = configOfTurn.handler;
      const handler = handlers.loaded(name) ?? (await handlers.load(name));
      const origin = this.#originOf(message, configOfTurn, startedAt);
      const { budget } = configOfTurn;
      const perDay = budget?.maxTokensPerDay;
      const today =
        perDay === undefined ? undefined : await this.#dayBudget.spentToday(store.store);
      const isDaySpent = perDay !== undefined && today !== undefined && today >= perDay;
      const begin = {
        turnId: newTurnId(),
        userMessage: message.content,
        origin,
        promptVersions: promptVersions(configOfTurn, message.sessionId),
        messageId: message.messageId,
        // A message that was taken before is told of its turn all the same.
        maxSessionTokens: isDaySpent ? 0 : budget?.maxTokensPerSession,
      };
      const settling = this.#unsure.settle(message.sessionId);
      if (settling !== undefined) await settling;
      try {
        begun = await store.store.beginTurn(message.sessionId, message.client.owner, begin);
      } catch (error) {
        begun = await this.#beginAgain(error, message, begin, store);
      }
      if (begun.status === "budget-spent") {
        this.#options.metrics.requestsRefusedTotal.add(1, { reason: "budget_spent" });
        this.#tokenBudget(budget, begun.sessionTokens, today).check();
        throw new TurnError("UNAVAILABLE", "A budget of the agent is spent.");
      }
      if (begun.status === "started") {
        const ending = this.#whenEnded(message.sessionId);
        if (ending !== undefined) await ending;
        const turn = new RunningTurn(this.#options, {
          lease: begun.lease,
          store: store.store,
          config: configOfTurn,
          content: message.content,
          callerSubject: message.client.callerSubject,
          metadata: message.metadata,
          messageId: message.messageId,
          traceParent: message.traceParent,
          promptVersion: begun.promptVersion,
          receivedAt,
          budget: this.#tokenBudget(budget, begun.sessionTokens, today),
          dayBudget: perDay === undefined ? undefined : this.#dayBudget,
          record: {
            turnId: begin.turnId,
            messageId: message.messageId,
            startedAt,
            packVersion: begun.promptVersion,
            model: origin.model,
            replicas: this.#replicas,
          },
        });
        this.#hold(turn);
        onStarted(begun.lease.seqBefore);
        if (isCancelled) turn.stop("cancelled");
        handedOver = true;
        void this.#run(turn, handler, store.share());
        return begun;
      }
    } finally {
      if (!handedOver) this.#slots.leave();
    }
    if (begun.status === "repeated" || begun.status === "unknown-session") return begun;
    // Another turn of the session is in the way.
    const failed = this.#failed.get(message.sessionId);
    if (failed !== undefined) await within(MAX_FAILED_TURN_WAIT_MS, failed, clock);
    else if (begun.status === "in-progress") return begun;
    else await this.recover(message.sessionId, message.client, store);
    if (attempt < MAX_TURN_BEGINS) return this.#begin(message, store, onStarted, attempt + 1);
    throw new TurnError("UNAVAILABLE", "The session's last turn is yet to come to its end.", {
      details: { retry_after: RETRY_AFTER_SECONDS },
    });
  }

  /** The store has rejected the begin of the turn with `first`. */
  async #beginAgain(
    first: unknown,
    { sessionId, client: { owner } }: NewMessage,
    begin: NewTurn,
    use: StoreUse,
  ): Promise<BegunTurn> {
    try {
      return await retryStore(first, () => use.store.beginTurn(sessionId, owner, begin), {
        clock: this.#options.clock,
        pausesMs: TURN_BEGIN_RETRIES_MS,
      });
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#unsure.add(sessionId, begin, use);
      throw error;
    }
  }

  async #recover(
    sessionId: string,
    client: SessionOwner,
    store: StoreUse,
  ): Promise<"running" | "ended"> {
    const wait = this.#slots.enter(sessionId);
    const isCancelled = wait !== undefined && (await wait) === "cancelled";
    let handedOver = false;
    try {
      const claim = newTurnId();
      const takenOver = await withStoreRetries(
        () => store.store.takeOver(sessionId, client.owner, claim, this.#options.replica),
        {
          clock: this.#options.clock,
          pausesMs: TURN_BEGIN_RETRIES_MS,
        },
      );
      if (takenOver.status !== "taken") return takenOver.status === "none" ? "ended" : "running";
      handedOver = true;
      return await this.#goOn(takenOver.turn, client, isCancelled, store);
    } finally {
      if (!handedOver) this.#slots.leave();
    }
  }

  async #goOn(
    abandoned: AbandonedTurn,
    { callerSubject }: SessionOwner,
    cancelledHere: boolean,
    store: StoreUse,
    onStarted?: (seqBefore: number) => void,
  ): Promise<"running" | "ended"> {
    const { clock, config, log } = this.#options;
    const { lease, lastSeq, origin, journal } = abandoned;
    const reading = readJournal(abandoned);
    const current = config();
    const { budget } = current;
    const countsDay = budget?.maxTokensPerDay !== undefined;
    // The turn goes on where the store cannot tell, within its other budgets.
    const today = countsDay
      ? await this.#dayBudget.spentToday(store.store).catch(() => undefined)
      : undefined;
    const name = HANDLER_NAMES.find((each) => each === origin.handler) ?? current.handler;
    const turn = new RunningTurn(this.#options, {
      lease,
      store: store.store,
      config: { ...current, handler: name },
      content: abandoned.userMessage,
      callerSubject,
      metadata: origin.metadata,
      messageId: abandoned.messageId,
      promptVersion: origin.promptVersion,
      receivedAt: clock.monotonic(),
      budget: this.#tokenBudget(budget, abandoned.sessionTokens, today, reading.earlier.usage),
      dayBudget: countsDay ? this.#dayBudget : undefined,
      record: unendedRecord({
        turnId: lease.turnId,
        firstTurnId: abandoned.firstTurnId,
        messageId: abandoned.messageId,
        origin,
        journal,
        unknownStart: clock.now(),
      }),
      takenOver: {
        earlier: reading.earlier,
        lastSeq,
        journaled: journal.length,
        firstTurnId: abandoned.firstTurnId,
      },
    });
    this.#hold(turn);
    onStarted?.(lease.seqBefore);
    const release = store.share();
    const handler = await this.#handler(name).catch((error: unknown): Handler => ({
      run: () => Promise.reject(error),
    }));
    const recovery = decideRecovery(reading, {
      isCancelled: abandoned.isCancelled || cancelledHere,
      hasHarmlessCalls: handler.hasHarmlessCalls === true,
    });
    const about = { sessionId: lease.sessionId, turnId: lease.turnId, recovery };
    if (onStarted === undefined) {
      const { takeovers } = reading;
      log.warn({ ...about, takeovers }, "A turn whose replica is gone was taken over");
    } else log.debug(about, "A turn goes on, since its calls were approved or denied");
    if (recovery === "cancelled") turn.stop("cancelled");
    if (recovery === "goes-on") {
      void this.#run(turn, handler, release);
      return "running";
    }
    await this.#run(turn, closingHandler(recovery, reading), release);
    return "ended";
  }

  #tokenBudget(
    budget: BudgetConfig | undefined,
    session: number | undefined,
    today: number | undefined,
    used?: Usage,
  ): TokenBudget {
    return new TokenBudget(
      tokenLimits(budget, { session, today }),
      () => this.#options.clock.now(),
      used,
    );
  }

  #originOf({ metadata }: NewMessage, config: AgentConfig, startedAt: number): TurnOrigin {
    const { handler, provider } = config;
    return {
      handler,
      metadata,
      startedAt,
      replica: this.#options.replica,
      model: handler === "runtime" ? provider?.model : undefined,
    };
  }

  async #handler(name: HandlerName): Promise<Handler> {
    const { handlers } = this.#options;
    return handlers.loaded(name) ?? (await handlers.load(name));
  }

  #hold(turn: RunningTurn): void {
    this.#running.set(turn.sessionId, turn);
    this.#upkeep ??= this.#options.clock.setTimer(LEASE_RENEWAL_MS, this.#keepUp);
  }

  async #run(turn: RunningTurn, handler: Handler, releaseStore: () => void): Promise<void> {
    let failed = undefined as PromiseWithResolvers<void> | undefined;
    try {
      await turn.run(handler, (isStored) => {
        this.#forget(turn);
        if (isStored) return;
        failed = Promise.withResolvers();
        this.#failed.set(turn.sessionId, failed.promise);
      });
    } catch (error) {
      this.#options.log.error({ error, turnId: turn.id }, "A turn came to no end");
    } finally {
      this.#forget(turn);
      if (failed !== undefined) {
        failed.resolve();
        if (this.#failed.get(turn.sessionId) === failed.promise)
          this.#failed.delete(turn.sessionId);
      }
      releaseStore();
      this.#slots.leave();
    }
  }

  /** Stops the session's turn if it runs on this replica; answers whether it did. */
  cancel(sessionId: string): boolean {
    const turn = this.#running.get(sessionId);
    turn?.stop("cancelled");
    return turn !== undefined;
  }

  /** Cancels the session's turn if it waits to run here, so that it ends as soon as it has begun. Answers whether one waited. */
  cancelQueued(sessionId: string): boolean {
    return this.#slots.cancel(sessionId);
  }

  /** From now on new messages are refused. The turns that run go on. */
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
    this.#unsure.close();
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
