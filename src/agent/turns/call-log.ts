import type { TurnEvent } from "../contracts/handler.ts";
import { MAX_RECORDED_CALLS, type CallRecord } from "../sessions/turn-record.ts";
import { OUTCOME_NOT_KNOWN } from "../sessions/unended-record.ts";
import type { Clock } from "../../time/clock.ts";

/** The calls of one turn, for its record: when each began, how long it took, and what came of it. */
export class CallLog {
  readonly #clock: Clock;
  readonly #calls: Map<string, CallRecord>;
  #unrecorded = 0;
  /** By call id: when it began, on the monotonic clock. */
  readonly #begun = new Map<string, number>();

  /** Begins with the calls that an earlier replica made. */
  constructor(clock: Clock, earlier: readonly CallRecord[]) {
    this.#clock = clock;
    this.#calls = new Map(earlier.map((call) => [call.id, call]));
  }

  /** All calls, also those that the record has no room for. */
  get count(): number {
    return this.#calls.size + this.#unrecorded;
  }

  emit(event: Exclude<TurnEvent, { type: "chunk" }>): void {
    if (event.type === "tool-call") this.#begin(event);
    else this.#end(event);
  }

  /** Of a call whose outcome has not come when the turn ends, nobody knows whether it had an effect. */
  atEnd(): CallRecord[] {
    return [...this.#calls.values()].map((call) =>
      call.outcome === "running" ? { ...call, outcome: "unknown" } : call,
    );
  }

  #begin({ id, name, parent }: Extract<TurnEvent, { type: "tool-call" }>): void {
    if (this.#calls.size >= MAX_RECORDED_CALLS) {
      this.#unrecorded += 1;
      return;
    }
    this.#calls.set(id, { id, name, startedAt: this.#clock.now(), outcome: "running", parent });
    this.#begun.set(id, this.#clock.monotonic());
  }

  #end({ id, error }: Extract<TurnEvent, { type: "tool-result" }>): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const begun = this.#begun.get(id);
    const isKnown = error !== OUTCOME_NOT_KNOWN;
    this.#calls.set(id, {
      ...call,
      ms: begun === undefined || !isKnown ? undefined : Math.round(this.#clock.monotonic() - begun),
      outcome: !isKnown ? "unknown" : error === undefined ? "ok" : "error",
    });
  }
}
