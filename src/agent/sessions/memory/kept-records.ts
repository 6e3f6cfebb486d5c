import { MAX_TURN_RECORD_BYTES, MAX_TURN_RECORDS, type TurnRecord } from "../turn-record.ts";
import { Rows } from "./rows.ts";

/** What a record takes, about, without its calls and its texts; and a call, without its texts. */
const RECORD_BYTES = 320;
const CALL_BYTES = 120;
/** What many turns of a session have in common. */
type Circumstances = Omit<TurnRecord, "turnId" | "startedAt" | "endedAt">;

/**
 * The records of a session's last turns, in memory. What two turns that follow each other have in common is kept once, and their
 * times are kept as numbers alone: each object that is kept long costs time at each collection of garbage.
 */
export class KeptRecords {
  /** Of each turn its id and its circumstances, */
  readonly #turns = new Rows<string | Circumstances>(2, "");
  /** and when it began and ended; NaN for one that has not ended. */
  readonly #times = new Rows<number>(2, 0);
  #bytes = 0;

  get length(): number {
    return this.#turns.length;
  }

  /** About how much memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  get last(): TurnRecord | undefined {
    return this.length === 0 ? undefined : this.#at(this.length - 1);
  }

  /** The record must not be changed afterwards. The oldest ones make way. */
  add(record: TurnRecord): void {
    const last = this.length === 0 ? undefined : this.#circumstancesOf(this.length - 1);
    const isLikeLast = last !== undefined && isSame(last, record);
    this.#turns.end().push(record.turnId, isLikeLast ? last : record);
    this.#times.end().push(record.startedAt, record.endedAt ?? Number.NaN);
    this.#bytes += bytesOf(record);
    while (
      this.length > MAX_TURN_RECORDS ||
      (this.#bytes > MAX_TURN_RECORD_BYTES && this.length > 1)
    ) {
      this.#bytes -= bytesOf(this.#circumstancesOf(0));
      this.#turns.dropFirst();
      this.#times.dropFirst();
    }
  }

  toArray(): TurnRecord[] {
    return Array.from({ length: this.length }, (_, turn) => this.#at(turn));
  }

  #at(turn: number): TurnRecord {
    const endedAt = this.#times.at(turn, 1);
    return {
      ...this.#circumstancesOf(turn),
      turnId: this.#turns.at(turn, 0) as string,
      startedAt: this.#times.at(turn, 0),
      endedAt: Number.isNaN(endedAt) ? undefined : endedAt,
    };
  }

  #circumstancesOf(turn: number): Circumstances {
    return this.#turns.at(turn, 1) as Circumstances;
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
