import type { ForkedParts, ForkSource } from "../plan-fork.ts";
import type { SessionClient } from "../session-client.ts";
import { parseStoredRecord } from "../turn-record.ts";
import { addRecord } from "./memory-records.ts";
import { bytesOfMessage, newMemorySession, type MemorySession } from "./memory-session.ts";

export function sourceOf(session: MemorySession): ForkSource {
  const { messages, records, counts, promptVersion, unended } = session;
  const unendedTurnId = unended?.lease.turnId;
  return {
    messages,
    records: records.map((record) => JSON.stringify(record)),
    counts,
    packVersion: promptVersion,
    unendedTurnId,
  };
}

export function forkedSession(
  { id, title }: MemorySession,
  { messages, records, counts, packVersion }: ForkedParts,
  { newSessionId, client, now }: { newSessionId: string; client: SessionClient; now: number },
): MemorySession {
  const session = newMemorySession(newSessionId, client, now, id);
  session.title = title;
  session.counts = counts;
  session.promptVersion = packVersion;
  for (const message of messages) {
    session.messages.push(message);
    session.messageBytes += bytesOfMessage(message);
  }
  for (const text of records) {
    const record = parseStoredRecord(text);
    if (record !== undefined) addRecord(session, record);
  }
  return session;
}
