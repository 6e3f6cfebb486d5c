import { MAX_TURN_RECORD_BYTES, MAX_TURN_RECORDS, type TurnRecord } from "../turn-record.ts";

/** What a record takes, about, without its calls and its texts; and a call, without its texts. */
const RECORD_BYTES = 320;
const CALL_BYTES = 120;
/** So many records are dropped before the others move up. */
const DROPPED_TOGETHER = 256;

/** What many turns of a session have in common. */
type Circumstances = Omit<TurnRecord, "turnId" | "startedAt" | "endedAt">;

/**
 * The records of a session's last turns, in memory. What two turns that follow each other have in common is kept once, and their
 * times are kept as numbers alone: each object that is kept long costs time at each collection of garbage.
 */
export class KeptRecords {
  /** Of each turn its id and its circumstances, */
  readonly #turns: (string | Circumstances)[] = [];
  /** and when it began and ended; NaN for one that has not ended. */
  readonly #times: number[] = [];
  /** All turns before this one were dropped. */
  #first = 0;
  #bytes = 0;

  get length(): number {
    return this.#end - this.#first;
  }

  /** About how much memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  get last(): TurnRecord | undefined {
    return this.length === 0 ? undefined : this.#at(this.#end - 1);
  }

  /** The record must not be changed afterwards. The oldest ones make way. */
  add(record: TurnRecord): void {
    const last = this.#turns.at(-1) as Circumstances | undefined;
    const isLikeLast = last !== undefined && isSame(last, record);
    this.#turns.push(record.turnId, isLikeLast ? last : record);
    this.#times.push(record.startedAt, record.endedAt ?? Number.NaN);
    this.#bytes += bytesOf(record);
    while (
      this.length > MAX_TURN_RECORDS ||
      (this.#bytes > MAX_TURN_RECORD_BYTES && this.length > 1)
    ) {
      this.#dropFirst();
    }
  }

  toArray(): TurnRecord[] {
    return Array.from({ length: this.length }, (_, index) => this.#at(this.#first + index));
  }

  get #end(): number {
    return this.#times.length / 2;
  }

  #at(turn: number): TurnRecord {
    const startedAt = this.#times[2 * turn] as number;
    const endedAt = this.#times[2 * turn + 1] as number;
    return {
      ...this.#circumstancesOf(turn),
      turnId: this.#turns[2 * turn] as string,
      startedAt,
      endedAt: Number.isNaN(endedAt) ? undefined : endedAt,
    };
  }

  #circumstancesOf(turn: number): Circumstances {
    return this.#turns[2 * turn + 1] as Circumstances;
  }

  #dropFirst(): void {
    this.#bytes -= bytesOf(this.#circumstancesOf(this.#first));
    this.#first += 1;
    if (this.#first < DROPPED_TOGETHER) return;
    this.#turns.splice(0, 2 * this.#first);
    this.#times.splice(0, 2 * this.#first);
    this.#first = 0;
  }
}

function isSame(one: Circumstances, other: Circumstances): boolean {
  return (
    one.firstTurnId === other.firstTurnId &&
    one.messageId === other.messageId &&
    one.firstChunkAt === other.firstChunkAt &&
    one.packVersion === other.packVersion &&
    one.model === other.model &&
    one.replicas === other.replicas &&
    one.finishReason === other.finishReason &&
    one.error === other.error &&
    one.warnings === other.warnings &&
    one.usage === other.usage &&
    one.workflowState === other.workflowState &&
    one.calls === other.calls
  );
}

function bytesOf({ calls, warnings, error }: Circumstances): number {
  let bytes = RECORD_BYTES + (error?.message.length ?? 0);
  for (const { id, name } of calls) bytes += CALL_BYTES + id.length + name.length;
  for (const { validator, message } of warnings ?? []) bytes += validator.length + message.length;
  return bytes;
}
