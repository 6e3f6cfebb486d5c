/**
 * Turns whose begin the store did not answer, and whose clients were told so. The store may begin them later all the same,
 * since a server that stood still reads what was sent to it meanwhile, and nobody would run them. So they are withdrawn as
 * soon as the store answers.
 */
import type { Clock } from "../../time/clock.ts";
import {
  MAX_UNSURE_TURNS,
  UNSURE_TURN_RETRY_MS,
  UNSURE_TURN_TIMEOUT_MS,
} from "../contracts/limits.ts";
import type { StoreUse } from "../sessions/current-store.ts";
import {
  StoreUnavailableError,
  type NewTurn,
  type SessionStore,
} from "../sessions/session-store.ts";

interface UnsureTurn {
  readonly turn: Pick<NewTurn, "turnId" | "messageId">;
  readonly store: SessionStore;
  readonly since: number;
  readonly release: () => void;
}

export class UnsureTurns {
  readonly #clock: Clock;
  readonly #bySession = new Map<string, UnsureTurn>();
  readonly #closing = new AbortController();
  #isWithdrawing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(sessionId: string, turn: UnsureTurn["turn"], use: StoreUse): void {
    if (this.#bySession.size >= MAX_UNSURE_TURNS || this.#closing.signal.aborted) return;
    const since = this.#clock.monotonic();
    this.#forget(sessionId);
    this.#bySession.set(sessionId, { turn, store: use.store, since, release: use.share() });
    if (!this.#isWithdrawing) void this.#withdrawAll();
  }

  /** Call it before another turn of the session is begun. Rejects with what the store rejects with. */
  settle(sessionId: string): Promise<void> | undefined {
    return this.#bySession.has(sessionId) ? this.#withdraw(sessionId) : undefined;
  }

  close(): void {
    this.#closing.abort();
    for (const sessionId of this.#bySession.keys()) this.#forget(sessionId);
  }

  async #withdrawAll(): Promise<void> {
    this.#isWithdrawing = true;
    const { signal } = this.#closing;
    while (this.#bySession.size > 0 && !signal.aborted) {
      await this.#clock.sleep(UNSURE_TURN_RETRY_MS, signal).catch(() => {});
      await this.#withdrawEach();
    }
    this.#isWithdrawing = false;
  }

  async #withdrawEach(): Promise<void> {
    for (const [sessionId, { since }] of this.#bySession) {
      // A begin that the store has not carried out by now will not be carried out any more.
      if (this.#clock.monotonic() - since > UNSURE_TURN_TIMEOUT_MS) this.#forget(sessionId);
      try {
        await this.#withdraw(sessionId);
      } catch (error) {
        if (error instanceof StoreUnavailableError) return;
        this.#forget(sessionId);
      }
    }
  }

  async #withdraw(sessionId: string): Promise<void> {
    const unsure = this.#bySession.get(sessionId);
    if (unsure === undefined) return;
    await unsure.store.withdrawTurn(sessionId, unsure.turn);
    if (this.#bySession.get(sessionId) === unsure) this.#forget(sessionId);
  }

  #forget(sessionId: string): void {
    this.#bySession.get(sessionId)?.release();
    this.#bySession.delete(sessionId);
  }
}
