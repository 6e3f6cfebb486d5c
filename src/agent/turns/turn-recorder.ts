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

  /** `firstChunkAt`: when a client could see the first chunk that this replica published, in milliseconds since 1970. */
  record(
    ending: StoredEnding,
    { firstChunkAt, state }: { firstChunkAt: number | undefined; state: string | undefined },
  ): TurnRecord {
    const begun = this.#begun;
    // One spread at the begin costs little, and one further on as much as all the rest.
    const { finishReason, error, warnings } = outcomeOf(ending);
    return {
      ...begun,
      firstChunkAt: begun.firstChunkAt ?? firstChunkAt,
      endedAt: Math.max(begun.startedAt, this.#clock.now()),
      finishReason,
      error,
      warnings,
      usage: (ending.type === "done" ? ending.usage : undefined) ?? this.#usage,
      workflowState: state,
      calls: this.#calls?.atEnd() ?? [],
    };
  }
}

function outcomeOf(ending: StoredEnding): Pick<TurnRecord, "finishReason" | "error" | "warnings"> {
  if (ending.type === "error") {
    const { code, message } = ending.error;
    return { error: { code, message } };
  }
  const { finishReason, warnings } = ending;
  return { finishReason, warnings: warnings === undefined ? undefined : [...warnings] };
}
