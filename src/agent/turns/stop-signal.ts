import { TurnStopped, type StopReason } from "./turn-ending.ts";

/**
 * Tells a turn, its handler and its writer that the turn has to stop, and why. Its AbortSignal is made when it is first asked
 * for, which spares short turns (those of the echo handler) its cost.
 */
export class StopSignal {
  #stopped: TurnStopped | undefined;
  #controller: AbortController | undefined;
  #onStop: ((stopped: TurnStopped) => void) | undefined;

  /** Undefined until the turn has to stop. */
  get stopped(): TurnStopped | undefined {
    return this.#stopped;
  }

  /** Aborted when the turn has to stop; its reason is the TurnStopped. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#stopped !== undefined) this.#controller.abort(this.#stopped);
    return this.#controller.signal;
  }

  /** Only the first reason counts. */
  stop(reason: StopReason): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = new TurnStopped(reason);
    this.#controller?.abort(this.#stopped);
    this.#onStop?.(this.#stopped);
  }

  /** Calls back once: when the turn has to stop, or now if it has to already. A later callback replaces this one. */
  onStop(callback: (stopped: TurnStopped) => void): void {
    this.#onStop = callback;
    if (this.#stopped !== undefined) callback(this.#stopped);
  }
}
