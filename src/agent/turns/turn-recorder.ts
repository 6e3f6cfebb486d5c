import type { Usage } from "../../protocol/frames.ts";
import { addUsage } from "../../protocol/add-usage.ts";
import type { Clock } from "../../time/clock.ts";
import type { TurnEvent } from "../contracts/handler.ts";
import type { CallRecord, TurnRecord } from "../sessions/turn-record.ts";
import { CallLog } from "./call-log.ts";
import type { StoredEnding } from "./turn-ending.ts";

/** What is known of a turn when this replica gets it: of one that was taken over, all that its journal tells. */
export type BegunRecord = Omit<TurnRecord, "calls"> & { readonly calls?: readonly CallRecord[] };

/** Collects what is remembered of a turn beside what was said. It costs a turn that calls no tool next to nothing. */
export class TurnRecorder {
  readonly #clock: Clock;
  readonly #begun: BegunRecord;
  #calls: CallLog | undefined;
  #usage: Usage | undefined;

  constructor(clock: Clock, begun: BegunRecord) {
    this.#clock = clock;
    this.#begun = begun;
    this.#usage = begun.usage;
    if (begun.calls !== undefined && begun.calls.length > 0)
      this.#calls = new CallLog(clock, begun.calls);
  }

  call(event: Exclude<TurnEvent, { type: "chunk" }>): void {
    this.#calls ??= new CallLog(this.#clock, []);
    this.#calls.emit(event);
  }

  /** Counts for a turn whose end does not tell what it has used. */
  spent(usage: Usage | undefined): void {
    this.#usage = addUsage(this.#usage, usage);
  }

  /** What the turn has used so far, of what its handler told on the way. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  /** The calls of the turn, of which the record has the first ones. */
  get callCount(): number {
    return this.#calls?.count ?? 0;
  }

  /** `firstChunkAt`: when a client could see the first chunk that this replica published, in milliseconds since 1970. */
  record(
    ending: StoredEnding,
    { firstChunkAt, state }: { firstChunkAt: number | undefined; state: string | undefined },
  ): TurnRecord {
    const begun = this.#begun;
    const done = ending.type === "done" ? ending : undefined;
    // Each turn makes one: to spread what it began with would take ten times as long.
    return {
      turnId: begun.turnId,
      firstTurnId: begun.firstTurnId,
      messageId: begun.messageId,
      startedAt: begun.startedAt,
      firstChunkAt: begun.firstChunkAt ?? firstChunkAt,
      endedAt: Math.max(begun.startedAt, this.#clock.now()),
      packVersion: begun.packVersion,
      model: begun.model,
      replicas: begun.replicas,
      finishReason: done?.finishReason,
      error: errorOf(ending),
      warnings: done?.warnings === undefined ? undefined : [...done.warnings],
      usage: done?.usage ?? this.#usage,
      workflowState: state,
      calls: this.#calls?.atEnd() ?? NO_CALLS,
    };
  }
}

/** Shared by all turns that call no tool. */
const NO_CALLS: CallRecord[] = [];

/** Without the details, which are for the client alone. */
function errorOf(ending: StoredEnding): TurnRecord["error"] {
  if (ending.type !== "error") return undefined;
  const { code, message } = ending.error;
  return { code, message };
}
