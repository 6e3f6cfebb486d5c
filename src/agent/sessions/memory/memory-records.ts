import { addCounts, countsOf } from "../session-counts.ts";
import { MAX_TURN_RECORD_BYTES, MAX_TURN_RECORDS, type TurnRecord } from "../turn-record.ts";
import { bytesOfMessage, type MemorySession } from "./memory-session.ts";

/** Keeps the record of a turn that has ended, and counts it. The oldest records make way. */
export function keepRecord(session: MemorySession, record: TurnRecord): void {
  session.counts = addCounts(session.counts, countsOf(record));
  addRecord(session, JSON.stringify(record));
}

export function addRecord(session: MemorySession, text: string): void {
  const { records } = session;
  records.push(text);
  session.recordBytes += bytesOfMessage(text);
  while (
    records.length > MAX_TURN_RECORDS ||
    (session.recordBytes > MAX_TURN_RECORD_BYTES && records.length > 1)
  ) {
    session.recordBytes -= bytesOfMessage(records.shift() ?? "");
  }
}
