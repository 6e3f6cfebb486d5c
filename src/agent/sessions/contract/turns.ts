/** Sessions, turns and frames as the contract of the stores needs them, and ways to take frames. */
import { randomBytes } from "node:crypto";
import { setTimeout as realTime } from "node:timers/promises";
import type {
  ChunkFrame,
  DoneFrame,
  ToolCallFrame,
  ToolResultFrame,
  TurnErrorFrame,
  TurnFrame,
} from "../../../protocol/frames.ts";
import type { HistoryMessage } from "../history-message.ts";
import type { SessionClient } from "../session-client.ts";
import { newSessionId } from "../session-id.ts";
import type { SessionStore, TurnLease } from "../session-store.ts";
import type { TurnRecord } from "../turn-record.ts";

/** The client of the sessions of these tests. */
export const OWNER = "an owner";
export const CLIENT: SessionClient = { owner: OWNER, holder: "a holder" };

export async function aSession(store: SessionStore, client = CLIENT): Promise<string> {
  const sessionId = newSessionId(randomBytes);
  await store.create(sessionId, client);
  return sessionId;
}

export async function begin(
  store: SessionStore,
  sessionId: string,
  turnId = "t1",
  messageId?: string,
): Promise<TurnLease> {
  const turn = { turnId, userMessage: `question of ${turnId}`, messageId };
  const begun = await store.beginTurn(sessionId, OWNER, turn);
  if (begun.status !== "started") throw new Error(`the turn was not begun: ${begun.status}`);
  return begun.lease;
}

/** A whole turn of `chunks` chunk frames and a done frame. */
export async function aTurn(
  store: SessionStore,
  sessionId: string,
  turnId = "t1",
  chunks = 0,
): Promise<TurnLease> {
  const lease = await begin(store, sessionId, turnId, `message of ${turnId}`);
  const frames: TurnFrame[] = [];
  for (let at = 1; at <= chunks; at++) frames.push(chunk(lease, lease.seqBefore + at, "…"));
  await store.appendFrames(lease, frames);
  await endWell(store, lease, chunks + 1);
  return lease;
}

/** What is remembered of a turn. */
export function aRecord(turnId: string, more: Partial<TurnRecord> = {}): TurnRecord {
  return {
    turnId,
    startedAt: 1_700_000_000_000,
    endedAt: 1_700_000_002_000,
    replicas: ["replica-0"],
    finishReason: "stop",
    usage: { input_tokens: 3, output_tokens: 4 },
    calls: [],
    ...more,
  };
}

/** A whole turn with a record. */
export async function aRecordedTurn(
  store: SessionStore,
  sessionId: string,
  turnId: string,
  more: Partial<TurnRecord> & { userMessage?: string; owner?: string } = {},
): Promise<void> {
  const { userMessage = `question of ${turnId}`, owner = OWNER, ...record } = more;
  const begun = await store.beginTurn(sessionId, owner, { turnId, userMessage });
  if (begun.status !== "started") throw new Error(`the turn was not begun: ${begun.status}`);
  const { lease } = begun;
  await store.endTurn(lease, {
    frames: [done(lease, lease.seqBefore + 1)],
    messages: [answer(lease)],
    record: aRecord(turnId, record),
  });
}

/** Ends a turn with a done frame, which is the turn's frame number `at`. */
export async function endWell(store: SessionStore, lease: TurnLease, at: number): Promise<void> {
  await store.endTurn(lease, {
    frames: [done(lease, lease.seqBefore + at)],
    messages: [answer(lease)],
  });
}

/** The signal of a follower that does not leave. */
export const never = new AbortController().signal;

function stamp(lease: TurnLease, seq: number): Omit<ChunkFrame, "type" | "content"> {
  return {
    session_id: lease.sessionId,
    turn_id: lease.turnId,
    seq,
    timestamp: "2026-01-01T00:00:00.000Z",
  };
}

export function chunk(lease: TurnLease, seq: number, content: string): ChunkFrame {
  return { type: "chunk", ...stamp(lease, seq), content };
}

export function done(lease: TurnLease, seq: number): DoneFrame {
  return {
    type: "done",
    ...stamp(lease, seq),
    content: `answer of ${lease.turnId}`,
    usage: { input_tokens: 3, output_tokens: 4 },
    finish_reason: "stop",
  };
}

export function toolCall(lease: TurnLease, seq: number): ToolCallFrame {
  const call = { id: "c1", name: "weather", arguments: { city: "Zürich", nested: { a: [null] } } };
  return { type: "tool_call", ...stamp(lease, seq), tool_call: call };
}

export function toolResult(lease: TurnLease, seq: number): ToolResultFrame {
  return {
    type: "tool_result",
    ...stamp(lease, seq),
    tool_result: { id: "c1", result: ["sun", 7] },
  };
}

export function failure(lease: TurnLease, seq: number): TurnErrorFrame {
  return {
    type: "error",
    ...stamp(lease, seq),
    error: { code: "PROVIDER_ERROR", message: "no" },
  };
}

export function answer({ turnId }: TurnLease): HistoryMessage {
  return { role: "assistant", turnId, content: `answer of ${turnId}` };
}

export async function all(batches: AsyncIterable<readonly TurnFrame[]>): Promise<TurnFrame[]> {
  const frames: TurnFrame[] = [];
  for await (const batch of batches) frames.push(...batch);
  return frames;
}

export async function seqs(batches: AsyncIterable<readonly TurnFrame[]>): Promise<number[]> {
  return (await all(batches)).map(({ seq }) => seq);
}

export async function turnIds(batches: AsyncIterable<readonly TurnFrame[]>): Promise<string[]> {
  return (await all(batches)).map(({ turn_id }) => turn_id);
}

export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

interface Followed {
  readonly seqs: number[];
  readonly ended: Promise<void>;
  /** Resolves when the frame with this seq has come. */
  reaches(seq: number): Promise<void>;
}

/** Takes frames in the background. */
export function follow(batches: AsyncIterable<readonly TurnFrame[]>): Followed {
  const given: number[] = [];
  const ended = (async () => {
    for await (const batch of batches) given.push(...batch.map(({ seq }) => seq));
  })();
  ended.catch(() => {});
  return {
    seqs: given,
    ended,
    async reaches(seq) {
      while ((given.at(-1) ?? 0) < seq) await Promise.race([ended, realTime(2)]);
    },
  };
}
