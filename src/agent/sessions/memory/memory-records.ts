import { addCounts, countsOf } from "../session-counts.ts";
import { MAX_TURN_RECORD_BYTES, MAX_TURN_RECORDS, type TurnRecord } from "../turn-record.ts";
import type { MemorySession } from "./memory-session.ts";

/** What a record takes, about, without its calls and its texts; and a call, without its texts. */
const RECORD_BYTES = 320;
const CALL_BYTES = 120;

/** Keeps the record of a turn that has ended, and counts it. The oldest records make way. */
export function keepRecord(session: MemorySession, record: TurnRecord): void {
  session.counts = addCounts(session.counts, countsOf(record));
  addRecord(session, record);
}

/** The record is kept as it is: most turns have nothing in it that is not kept anyway. It must not be changed afterwards. */
export function addRecord(session: MemorySession, record: TurnRecord): void {
  const { records } = session;
  records.push(record);
  session.recordBytes += bytesOfRecord(record);
  while (
    records.length > MAX_TURN_RECORDS ||
    (session.recordBytes > MAX_TURN_RECORD_BYTES && records.length > 1)
  ) {
    const oldest = records.shift();
    if (oldest !== undefined) session.recordBytes -= bytesOfRecord(oldest);
  }
}

function bytesOfRecord({ calls, warnings, error }: TurnRecord): number {
  let bytes = RECORD_BYTES + (error?.message.length ?? 0);
  for (const { id, name } of calls) bytes += CALL_BYTES + id.length + name.length;
  for (const { validator, message } of warnings ?? []) bytes += validator.length + message.length;
  return bytes;
}
