import { planFork, type ForkedParts, type ForkSource } from "../plan-fork.ts";
import type { ForkOutcome, NewFork } from "../session-listing.ts";
import { SessionExistsError } from "../session-store.ts";
import type { SessionClient } from "../session-client.ts";
import { parseStoredMessage } from "../stored-values.ts";
import { parseStoredRecord } from "../turn-record.ts";
import { keptMessage } from "./kept-messages.ts";
import { newMemorySession, type MemorySession } from "./memory-session.ts";

/** `session`: the new one, unless there is one already. Throws SessionExistsError when that was not made by the same fork. */
export function forkOf(
  source: MemorySession,
  { existing, fork, now }: { existing: MemorySession | undefined; fork: NewFork; now: number },
): { outcome: ForkOutcome; session?: MemorySession } {
  const { newSessionId, client, afterTurn } = fork;
  if (existing !== undefined) {
    const isSame = existing.forkOf === source.id && existing.owner === client.owner;
    if (isSame && existing.fence === 0) return { outcome: { status: "forked" } };
    throw new SessionExistsError("there is a session with this id already");
  }
  const plan = planFork(sourceOf(source), afterTurn);
  if (plan.status !== "planned") return { outcome: plan };
  const session = forkedSession(source, plan.parts, { newSessionId, client, now });
  return { outcome: { status: "forked" }, session };
}

function sourceOf(session: MemorySession): ForkSource {
  const { messages, records, counts, promptVersion, unended } = session;
  const unendedTurnId = unended?.lease.turnId;
  return {
    messages: messages.toArray().map((message) => JSON.stringify(message)),
    records: records.toArray().map((record) => JSON.stringify(record)),
    counts,
    packVersion: promptVersion,
    unendedTurnId,
  };
}

function forkedSession(
  { id, title }: MemorySession,
  { messages, records, counts, packVersion }: ForkedParts,
  { newSessionId, client, now }: { newSessionId: string; client: SessionClient; now: number },
): MemorySession {
  const session = newMemorySession(newSessionId, client, now, id);
  session.title = title;
  session.counts = counts;
  session.promptVersion = packVersion;
  for (const text of messages) session.messages.add(keptMessage(parseStoredMessage(text)));
  for (const text of records) {
    const record = parseStoredRecord(text);
    if (record !== undefined) session.records.add(record);
  }
  return session;
}
